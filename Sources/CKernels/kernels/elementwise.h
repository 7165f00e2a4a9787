static void snake(
    const float *x, size_t x_stride, const float *alpha, const float *inverse, size_t rows, size_t channels, float *y,
    size_t y_stride)
{
    // Columns of vectors, so that a channel's parameters are loaded once.
    EACH_VECTOR(channels, {
        const vec a = v_get(alpha + c, n), b = v_get(inverse + c, n);
        for (size_t row = 0; row < rows; row++)
            v_put(y + row * y_stride + c, v_snake(v_get(x + row * x_stride + c, n), a, b), n);
    });
}

static void activate(ck_activation activation, const float *x, size_t count, float *y) {
    EACH_VECTOR(count, v_put(y + c, v_activation(activation, v_get(x + c, n)), n));
}

static void bf16_from_f32(const float *x, size_t count, uint16_t *y) {
    EACH_VECTOR(count, v_put_bf16(y + c, v_get(x + c, n), n));
}
