#ifndef CK_CPU_H
#define CK_CPU_H

#include "CKernels.h"

/// Whether the CPU has an instruction set and the operating system keeps its registers.
bool ck_cpu_has(ck_isa isa);

#endif
