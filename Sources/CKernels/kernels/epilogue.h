/// What an epilogue holds of a vector of channels.
typedef struct { vec bias, factor, alpha, inverse; } channel_parameters;

INLINE channel_parameters parameters_at(const ck_epilogue *e, size_t at, size_t n) {
    return (channel_parameters){
        e->bias ? v_get(e->bias + at, n) : v_zero(), e->scale ? v_get(e->scale + at, n) : v_zero(),
        e->alpha ? v_get(e->alpha + at, n) : v_zero(), e->alpha ? v_get(e->inverse + at, n) : v_zero()};
}

/// Finishes the sums `v` of `n` channels from `at` on in one row.
INLINE void finish_vector(const ck_epilogue *e, const channel_parameters *p, vec v, size_t row, size_t at, size_t n) {
    v = v_add(v, p->bias);
    if (e->activation != CK_IDENTITY) v = v_activation(e->activation, v);
    if (e->scale) v = v_mul(v, p->factor);
    if (e->residual) v = v_add(v, v_get(e->residual + row * e->residual_stride + at, n));
    if (e->y) v_put(e->y + row * e->y_stride + at, v, n);
    if (e->activated) {
        if (e->alpha) v = v_snake(v, p->alpha, p->inverse);
        v_put_as(e->activated_type, e->activated, row * e->activated_stride + at, v, n);
    }
}

/// Finishes a tile of sums: `rows` by `count` channels from `row` and `column` of the result on.
///
/// A column of vectors at a time, so that a channel's parameters are loaded once.
INLINE void finish(
    const ck_epilogue *e, const float *tile, size_t tile_stride, size_t row, size_t rows, size_t column, size_t count)
{
    EACH_VECTOR(count, {
        const channel_parameters p = parameters_at(e, column + c, n);
        for (size_t r = 0; r < rows; r++)
            finish_vector(e, &p, v_load(tile + r * tile_stride + c), row + r, column + c, n);
    });
}
