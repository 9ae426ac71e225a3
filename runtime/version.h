/*
 * The version of the program: the one place.
 */
#pragma once

#define AGENTD_VERSION "0.1.0"
