// The tile of int8: sums over a tap's inputs are exact integers in registers; each then enters its output's f32 sum, in the
// tile itself, times the scale of the input's row.

INLINE void tile_int8(
    const size_t rows, const size_t vectors, const ck_conv *conv, size_t stride, const uint8_t *x, const float *scales,
    const int8_t *weights, const int32_t *corrections, size_t block, float *tile, size_t tile_stride)
{
    for (size_t k = 0; k < conv->taps; k++) {
        const uint8_t *from = x + k * conv->dilation * stride;
        ivec sums[TILE_VECTORS];
        UNROLL
        for (size_t v = 0; v < vectors; v++) {
            const ivec first = v_load_int(corrections + ((v >> 1) * conv->taps + k) * CK_BLOCK + (v & 1) * 16);
            UNROLL
            for (size_t r = 0; r < rows; r++) sums[r * vectors + v] = first;
        }
        for (size_t i = 0; i < conv->inputs; i += 4) {
            quads w[8];
            UNROLL
            for (size_t v = 0; v < vectors; v++) w[v] = v_load_quads(weights + (v >> 1) * block + (v & 1) * 64);
            UNROLL
            for (size_t r = 0; r < rows; r++) {
                const quad f = v_broadcast_quad(from + r * stride);
                UNROLL
                for (size_t v = 0; v < vectors; v++)
                    sums[r * vectors + v] = v_dot_quads(sums[r * vectors + v], w[v], f);
            }
            from += 4;
            weights += CK_BLOCK * 4;
        }
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            const vec factor = v_set(scales[k * conv->dilation + r]);
            UNROLL
            for (size_t v = 0; v < vectors; v++) {
                float *const to = tile + r * tile_stride + v * 16;
                const vec before = k == 0 ? v_zero() : v_load(to);
                v_store(to, v_fma(v_from_int(sums[r * vectors + v]), factor, before));
            }
        }
    }
}

INLINE void apply_scales(const float *scales, size_t rows, size_t vectors, float *tile, size_t tile_stride) {
    for (size_t v = 0; v < vectors; v++) {
        const vec factor = v_load(scales + v * 16);
        for (size_t r = 0; r < rows; r++) {
            float *const at = tile + r * tile_stride + v * 16;
            v_store(at, v_mul(v_load(at), factor));
        }
    }
}
