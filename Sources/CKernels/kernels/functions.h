// Functions of a vector. Each works on its lanes apart.

/// c₀·xⁿ + … + cₙ.
#define POLYNOMIAL(y, x, ...) \
    do { \
        const float terms[] = {__VA_ARGS__}; \
        y = v_set(terms[0]); \
        UNROLL \
        for (size_t i = 1; i < sizeof terms / sizeof *terms; i++) y = v_fma(y, x, v_set(terms[i])); \
    } while (0)

// Minimum and maximum give their second operand where either is NaN, so the bound stands first and NaN stays.
INLINE vec v_clamp(vec x, float lower, float upper) { return v_min(v_set(upper), v_max(v_set(lower), x)); }

/// sin²: the distance to the nearest multiple of π (in two parts, Cody and Waite), then a minimax polynomial for sin.
INLINE vec v_sine_squared(vec angle) {
    const vec count = v_round(v_mul(angle, v_set(0x1.45f306p-2f)));
    vec r = v_fnma(count, v_set(3217.0f / 1024), angle);
    r = v_fnma(count, v_set((float)(3.14159265358979323846 - 3217.0 / 1024)), r);
    // Past 10⁶ the difference has no correct digit left, and must still be an angle.
    r = v_clamp(r, -1.6f, 1.6f);
    const vec u = v_mul(r, r);
    vec p;
    POLYNOMIAL(p, u, 2.599751832598997e-06f, -0.00019806478979563047f, 0.008333015417888914f, -0.16666657020578715f);
    const vec sine = v_fma(r, v_mul(u, p), r);
    return v_mul(sine, sine);
}

INLINE vec v_snake(vec x, vec alpha, vec inverse) { return v_fma(v_sine_squared(v_mul(alpha, x)), inverse, x); }

/// eˣ: 2ⁿ·eʳ with |r| <= ln 2 / 2, where eʳ = 1 + r + r²·P(r), 2·10⁻¹⁰. The power of two goes in as two factors, for results
/// that overflow or are denormal.
INLINE vec v_exp(vec x) {
    x = v_clamp(x, -104, 89);
    const vec n = v_round(v_mul(x, v_set(1.44269504088896341f)));
    vec r = v_fnma(n, v_set(0.693359375f), x);
    r = v_fnma(n, v_set(-0.00021219444005471377f), r);
    vec p;
    POLYNOMIAL(
        p, r, 0.00019890990958079945f, 0.0013933649996735078f, 0.008333310925268232f, 0.04166646492528447f,
        0.16666666681623965f, 0.5000000013465807f);
    const vec e = v_add(v_fma(v_mul(r, r), p, r), v_set(1));
    const vec half = v_round(v_mul(n, v_set(0.5f)));
    // A NaN has no exponent: it is in e already.
    const vec first = v_clamp(half, -60, 70), second = v_clamp(v_sub(n, first), -90, 70);
    return v_mul(v_mul(e, v_exp2i(first)), v_exp2i(second));
}

INLINE vec v_sigmoid(vec x) { return v_div(v_set(1), v_add(v_set(1), v_exp(v_sub(v_zero(), x)))); }

/// The error function: a rational approximation on ±4, beyond which it is ±1 in f32.
INLINE vec v_erf(vec x) {
    x = v_clamp(x, -4, 4);
    const vec u = v_mul(x, x);
    vec numerator, denominator;
    POLYNOMIAL(
        numerator, u, -2.72614225801306e-10f, 2.77068142495902e-08f, -2.10102402082508e-06f, -5.69250639462346e-05f,
        -7.34990630326855e-04f, -2.95459980854025e-03f, -1.60960333262415e-02f);
    POLYNOMIAL(
        denominator, u, -1.45660718464996e-05f, -2.13374055278905e-04f, -1.68282697438203e-03f,
        -7.37332916720468e-03f, -1.42647390514189e-02f);
    return v_div(v_mul(x, numerator), denominator);
}

INLINE vec v_activation(ck_activation activation, vec x) {
    switch (activation) {
    case CK_GELU: {
        const vec half = v_set(0.5f);
        return v_mul(x, v_fma(half, v_erf(v_mul(x, v_set(0.70710678118654752f))), half));
    }
    case CK_SILU: return v_mul(x, v_sigmoid(x));
    default: return x;
    }
}

/// The first `n` of 16 lanes; constant `n == 16` compiles to the whole.
INLINE vec v_get(const float *p, size_t n) { return n == 16 ? v_load(p) : v_load_n(p, n); }
INLINE void v_put(float *p, vec a, size_t n) {
    if (n == 16)
        v_store(p, a);
    else
        v_store_n(p, a, n);
}
INLINE void v_put_bf16(uint16_t *p, vec a, size_t n) {
    if (n == 16) {
        v_store_bf16(p, a);
    } else {
        uint16_t buffer[16];
        v_store_bf16(buffer, a);
        memcpy(p, buffer, n * sizeof(uint16_t));
    }
}
INLINE void v_put_as(ck_type type, void *p, size_t at, vec a, size_t n) {
    if (type == CK_BF16)
        v_put_bf16((uint16_t *)p + at, a, n);
    else
        v_put((float *)p + at, a, n);
}

/// Runs a statement for each 16 of `count` channels, `c` being the first and `n` how many; whole vectors have a constant `n`.
#define EACH_VECTOR(count, ...) \
    do { \
        size_t c = 0; \
        for (; c + 16 <= (count); c += 16) { \
            enum { n = 16 }; \
            __VA_ARGS__; \
        } \
        if (c < (count)) { \
            const size_t n = (count) - c; \
            __VA_ARGS__; \
        } \
    } while (0)
