static void snake(
    const float *x, size_t x_stride, const float *alpha, const float *inverse, size_t rows, size_t channels, void *y,
    size_t y_stride, ck_type y_type)
{
    // Columns of vectors, so that a channel's parameters are loaded once.
    EACH_VECTOR(channels, {
        const vec a = v_get(alpha + c, n), b = v_get(inverse + c, n);
        for (size_t row = 0; row < rows; row++)
            v_put_as(y_type, y, row * y_stride + c, v_snake(v_get(x + row * x_stride + c, n), a, b), n);
    });
}

static void activate(ck_activation activation, const float *x, size_t count, float *y) {
    EACH_VECTOR(count, v_put(y + c, v_activation(activation, v_get(x + c, n)), n));
}

static void add(const float *a, const float *b, size_t count, float *y) {
    EACH_VECTOR(count, v_put(y + c, v_add(v_get(a + c, n), v_get(b + c, n)), n));
}

static void multiply(const float *a, const float *b, size_t count, float *y) {
    EACH_VECTOR(count, v_put(y + c, v_mul(v_get(a + c, n), v_get(b + c, n)), n));
}

static void scale(
    const float *x, size_t x_stride, const float *factor, const float *residual, size_t residual_stride, size_t rows,
    size_t channels, float *y, size_t y_stride)
{
    for (size_t row = 0; row < rows; row++) {
        const float *const from = x + row * x_stride;
        float *const to = y + row * y_stride;
        if (residual) {
            const float *const other = residual + row * residual_stride;
            EACH_VECTOR(channels, {
                v_put(to + c, v_fma(v_get(from + c, n), v_get(factor + c, n), v_get(other + c, n)), n);
            });
        } else {
            EACH_VECTOR(channels, v_put(to + c, v_mul(v_get(from + c, n), v_get(factor + c, n)), n));
        }
    }
}

static void bf16_from_f32(const float *x, size_t count, uint16_t *y) {
    EACH_VECTOR(count, v_put_bf16(y + c, v_get(x + c, n), n));
}

static void f32_from_bf16(const uint16_t *x, size_t count, float *y) {
    EACH_VECTOR(count, v_put(y + c, v_get_bf16(x + c, n), n));
}
