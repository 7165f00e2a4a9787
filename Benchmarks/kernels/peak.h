#ifndef PEAK_H
#define PEAK_H

#include "CKernels.h"

/// Operations per second, in 10⁹, of products added to sums in registers, on an instruction set: what a kernel could reach at
/// most. 0 where it was not written.
double peak(ck_isa isa, ck_type type);

double seconds(void);

#endif
