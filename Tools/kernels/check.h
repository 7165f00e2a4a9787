// What the checks of the kernels share. See check.c.
#ifndef CHECK_H
#define CHECK_H

#include "CKernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// In `-bound ..< bound`, the same in every run.
float *random_floats(size_t count, float bound);

/// Says what is wrong, in printf's words, and on which instruction set.
void fail(const char *what, ...) __attribute__((format(printf, 1, 2)));

/// Counts a comparison, and a failure if a value is further off than `tolerance · (1 + |wanted|)`.
void compare(const char *what, const float *got, const float *wanted, size_t count, float tolerance);
void compare_bytes(const char *what, const void *got, const void *wanted, size_t size);
void expect(bool holds, const char *what);

/// bf16 to f32.
void widen(const uint16_t *halves, size_t count, float *result);

/// Adds results in f32 to those whose bits are the same on every instruction set but the portable one.
void count_bits(const float *results, size_t count);

void check_convolutions(ck_isa isa);
void check_fast_convolutions(ck_isa isa);
void check_others(ck_isa isa);
/// Of what is the same on every instruction set.
void check_without_vectors(void);

#endif
