// bf16 products where the CPU has none: both halves of each pair of inputs widened to f32.

typedef struct { vec even, odd; } pairs;
typedef struct { float even, odd; } pair;
INLINE pair v_broadcast_pair(const uint16_t *p) { return (pair){f32_of(p[0]), f32_of(p[1])}; }
INLINE vec v_dot_pairs(vec sum, pairs w, pair x) {
    return v_fma(v_set(x.even), w.even, v_fma(v_set(x.odd), w.odd, sum));
}
