// The first lanes of a vector through a buffer, where there are no masked loads. The other lanes are zero.

INLINE vec v_load_n(const float *p, size_t n) {
    float buffer[16] = {0};
    memcpy(buffer, p, n * sizeof(float));
    return v_load(buffer);
}
INLINE void v_store_n(float *p, vec a, size_t n) {
    float buffer[16];
    v_store(buffer, a);
    memcpy(p, buffer, n * sizeof(float));
}
