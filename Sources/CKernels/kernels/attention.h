/// (R(distance) q) · k, with `c` and `s` the distance's cosines and sines:
/// Σ c·(q₁k₁ + q₂k₂) + s·(q₁k₂ - q₂k₁) over pairs of channels.
INLINE float rotated_dot(const float *q, const float *k, const float *cosines, const float *sines, size_t half) {
    vec sum = v_zero();
    EACH_VECTOR(half, {
        const vec q1 = v_get(q + c, n), q2 = v_get(q + half + c, n);
        const vec k1 = v_get(k + c, n), k2 = v_get(k + half + c, n);
        sum = v_fma(v_get(cosines + c, n), v_fma(q2, k2, v_mul(q1, k1)), sum);
        sum = v_fma(v_get(sines + c, n), v_fnma(q2, k1, v_mul(q1, k2)), sum);
    });
    return v_sum(sum);
}

static void attention(
    const ck_attention *a, const float *q, size_t q_stride, const float *keys, size_t key_stride, const float *values,
    size_t value_stride, size_t slots, size_t first_slot, size_t existing, size_t rows, float *scratch, float *y,
    size_t y_stride)
{
    const size_t group = a->heads / a->shared_heads, half = a->width / 2;
    const float factor = 1 / sqrtf((float)a->width);
    for (size_t row = 0; row < rows; row++) {
        const size_t count = least(a->window, existing + row + 1);
        const size_t newest = (first_slot + row) % slots;
        for (size_t head = 0; head < a->heads; head++) {
            const float *const query = q + row * q_stride + head * a->width;
            const size_t key_column = head / group * a->width, value_column = head / group * a->value_width;
            size_t slot = newest;
            for (size_t age = 0; age < count; age++) {
                const float *const key = keys + slot * key_stride + key_column;
                scratch[age] = factor
                    * (a->cosines ? rotated_dot(query, key, a->cosines + age * half, a->sines + age * half, half)
                                  : dot(query, key, a->width));
                slot = slot == 0 ? slots - 1 : slot - 1;
            }
            const vec share = v_set(1 / exponentials(scratch, count, scratch));
            EACH_VECTOR(a->value_width, {
                vec sum = v_zero();
                slot = newest;
                for (size_t age = 0; age < count; age++) {
                    sum = v_fma(v_set(scratch[age]), v_get(values + slot * value_stride + value_column + c, n), sum);
                    slot = slot == 0 ? slots - 1 : slot - 1;
                }
                v_put(y + row * y_stride + head * a->value_width + c, v_mul(sum, share), n);
            });
        }
    }
}
