// A tile of sums in registers: ROWS x VECTORS·16 outputs. Included once for each type, with TILE (name), ELEMENT (of the input),
// WEIGHT (of the weights), STEP (inputs that one product takes), WEIGHTS, LOAD, FACTOR, BROADCAST and DOT defined.
//
// Every sum is one chain over taps and inputs in order, whatever the tile, so a result does not depend on how a call is cut
// into tiles.

INLINE void TILE(
    const size_t rows, const size_t vectors, const ck_conv *conv, size_t stride, const ELEMENT *x,
    const WEIGHT *weights, size_t block, float *tile, size_t tile_stride)
{
    vec sums[TILE_VECTORS];
    UNROLL
    for (size_t i = 0; i < rows * vectors; i++) sums[i] = v_zero();
    for (size_t k = 0; k < conv->taps; k++) {
        const ELEMENT *from = x + k * conv->dilation * stride;
        for (size_t i = 0; i < conv->inputs; i += STEP) {
            WEIGHTS w[8];
            UNROLL
            for (size_t v = 0; v < vectors; v++) w[v] = LOAD(weights + (v >> 1) * block + (v & 1) * 16 * STEP);
            UNROLL
            for (size_t r = 0; r < rows; r++) {
                const FACTOR f = BROADCAST(from + r * stride);
                UNROLL
                for (size_t v = 0; v < vectors; v++) sums[r * vectors + v] = DOT(sums[r * vectors + v], w[v], f);
            }
            from += STEP;
            weights += CK_BLOCK * STEP;
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++) v_store(tile + r * tile_stride + v * 16, sums[r * vectors + v]);
    }
}

#undef TILE
#undef ELEMENT
#undef WEIGHT
#undef STEP
#undef WEIGHTS
#undef LOAD
#undef FACTOR
#undef BROADCAST
#undef DOT
