/*
 * The length of an array.
 */
#pragma once

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
