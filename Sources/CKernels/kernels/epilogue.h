/// Finishes a tile of sums: `rows` by `count` channels from `row` and `column` of the result on.
///
/// A column of vectors at a time, so that a channel's parameters are loaded once.
INLINE void finish(
    const ck_epilogue *e, const float *tile, size_t tile_stride, size_t row, size_t rows, size_t column, size_t count)
{
    const bool clamps = e->lower < e->upper;
    EACH_VECTOR(count, {
        const size_t at = column + c;
        const vec bias = e->bias ? v_get(e->bias + at, n) : v_zero();
        const vec factor = e->scale ? v_get(e->scale + at, n) : v_zero();
        const vec alpha = e->alpha ? v_get(e->alpha + at, n) : v_zero();
        const vec inverse = e->alpha ? v_get(e->inverse + at, n) : v_zero();
        for (size_t r = 0; r < rows; r++) {
            vec v = v_add(v_load(tile + r * tile_stride + c), bias);
            if (e->activation != CK_IDENTITY) v = v_activation(e->activation, v);
            if (e->scale) v = v_mul(v, factor);
            if (e->residual) v = v_add(v, v_get(e->residual + (row + r) * e->residual_stride + at, n));
            if (clamps) v = v_clamp(v, e->lower, e->upper);
            if (e->y) v_put(e->y + (row + r) * e->y_stride + at, v, n);
            if (e->activated) {
                if (e->alpha) v = v_snake(v, alpha, inverse);
                v_put_as(e->activated_type, e->activated, (row + r) * e->activated_stride + at, v, n);
            }
        }
    });
}
