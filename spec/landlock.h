/*
 * Landlock in the configuration: process.landlock, and the annotation that holds the same as text.
 */
#pragma once

#include "spec/field.h"

#define LANDLOCK_ANNOTATION "io.agentd.landlock"

/* The kind of a member `struct spec_landlock`. */
extern const struct field_kind spec_landlock_kind;
