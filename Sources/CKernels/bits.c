#include "CKernels.h"

void ck_pack_bits(const int32_t *codes, size_t count, uint8_t *bytes) {
    for (size_t i = 0; i < count; i++) {
        if (i % 8 == 0) bytes[i / 8] = 0;
        bytes[i / 8] |= (uint8_t)((codes[i] & 1) << i % 8);
    }
}

void ck_unpack_bits(const uint8_t *bytes, size_t count, int32_t *codes) {
    for (size_t i = 0; i < count; i++) codes[i] = bytes[i / 8] >> i % 8 & 1;
}
