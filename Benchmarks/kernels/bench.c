// How fast the kernels are on the reference codec's layers, and which share of the CPU's peak that is.
//
// usage: bench [ISA]; ends with one line of JSON, whose ratio is the lowest share of the f32 peak that a convolution of 64
// channels and up reaches in long runs, over the 0.7 that is asked of it.
#include "layer.h"
#include "peak.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// In a long run.
enum { FRAMES = 10 };

static const char *const type_names[] = {"f32", "bf16", "int8"};

typedef struct {
    const layer *layer;
    size_t first, end;
    int runs;
    ck_isa isa;
} work;

static void *repeat(void *argument) {
    const work *const w = argument;
    ck_isa_use(w->isa);
    for (int i = 0; i < w->runs; i++) run(w->layer, w->first, w->end);
    return NULL;
}

/// GFLOP/s on so many threads, each with its part of the rows; the best of several rounds.
static double speed(const layer *l, int threads) {
    // About 2 ms each, which leaves the start of a thread behind.
    const int runs = 1 + (int)(4e8 / operations(l));
    double best = 0;
    for (int round = 0; round < 5; round++) {
        pthread_t ids[2];
        work works[2];
        const double start = seconds();
        for (int i = 0; i < threads; i++) {
            works[i] = (work){
                l, l->rows * (size_t)i / (size_t)threads, l->rows * (size_t)(i + 1) / (size_t)threads, runs, ck_isa_current()};
            if (i > 0) pthread_create(&ids[i], NULL, repeat, &works[i]);
        }
        repeat(&works[0]);
        for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
        const double now = operations(l) * runs / (seconds() - start) * 1e-9;
        if (now > best) best = now;
    }
    return best;
}

static bool seen_before(const layer *layers, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (layers[i].name == layers[index].name && layers[i].rows_per_frame == layers[index].rows_per_frame
            && layers[i].conv.inputs == layers[index].conv.inputs && layers[i].conv.dilation == layers[index].conv.dilation)
            return true;
    return false;
}

/// The table of layers in long runs of 10 frames. Returns the lowest share of peak from 64 channels on.
static double table(layer *layers, size_t count, ck_type type, double most) {
    printf("\n%s, rows of 200 ms, peak %.1f GFLOP/s a thread\n", type_names[type], most);
    printf("%-10s %4s %5s %5s %3s %6s %12s %7s %12s\n", "layer", "taps", "in", "out", "dil", "rows", "1 thread", "share",
           "2 threads");
    double lowest = 1;
    working_memory buffers = allocate_buffers(layers, count, FRAMES);
    for (size_t i = 0; i < count; i++) {
        layer *const l = &layers[i];
        if (seen_before(layers, i)) continue;
        void *const weights = ck_allocate(weights_size(l, type));
        prepare(l, FRAMES, weights, &buffers);
        const double one = speed(l, 1), two = speed(l, 2), share = most > 0 ? one / most : 0;
        printf("%-10s %4zu %5zu %5zu %3zu %6zu %12.1f %6.0f%% %12.1f\n", l->name, l->conv.taps, l->conv.inputs,
               l->conv.outputs, l->conv.dilation, l->rows, one, share * 100, two);
        if (l->conv.inputs >= 64 && l->conv.outputs >= 64 && share < lowest) lowest = share;
        discard(l);
        ck_free(weights);
    }
    free_buffers(&buffers);
    return lowest;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/// Milliseconds for all layers on one frame of 20 ms, one after the other with their own weights: the median.
static double frame(layer *layers, size_t count, ck_type type) {
    enum { ROUNDS = 101 };
    double times[ROUNDS];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) size += weights_size(&layers[i], type);
    char *const weights = ck_allocate(size);
    working_memory buffers = allocate_buffers(layers, count, 1);
    for (size_t i = 0, at = 0; i < count; at += weights_size(&layers[i], type), i++)
        prepare(&layers[i], 1, weights + at, &buffers);
    for (int round = -5; round < ROUNDS; round++) {
        const double start = seconds();
        for (size_t i = 0; i < count; i++) run(&layers[i], 0, layers[i].rows);
        if (round >= 0) times[round] = (seconds() - start) * 1e3;
    }
    for (size_t i = 0; i < count; i++) discard(&layers[i]);
    ck_free(weights);
    free_buffers(&buffers);
    qsort(times, ROUNDS, sizeof *times, ascending);
    printf("encoder and decoder, one frame, one thread, %.1f MB of weights: %.2f ms\n", (double)size / 1e6,
           times[ROUNDS / 2]);
    return times[ROUNDS / 2];
}

int main(int count, char **arguments) {
    for (int isa = 0; count > 1 && isa <= CK_ISA_AVX512; isa++)
        if (strcmp(arguments[1], ck_isa_name((ck_isa)isa)) == 0 && !ck_isa_use((ck_isa)isa)) {
            fprintf(stderr, "this CPU has no %s\n", arguments[1]);
            return 1;
        }
    const ck_isa isa = ck_isa_current();
    layer layers[MAX_LAYERS];
    const size_t layer_count = reference_codec(layers);
    double peaks[3], lowest[3], frames[3];
    for (int type = CK_F32; type <= CK_INT8; type++) {
        peaks[type] = peak(isa, (ck_type)type);
        lowest[type] = table(layers, layer_count, (ck_type)type, peaks[type]);
        frames[type] = frame(layers, layer_count, (ck_type)type);
    }
    printf("\n{\"benchmark\": \"bench-kernels\", \"isa\": \"%s\", \"ours\": %.3f, \"peer\": 0.7, \"ratio\": %.2f, "
           "\"peak\": {\"f32\": %.1f, \"bf16\": %.1f, \"int8\": %.1f}, "
           "\"share\": {\"f32\": %.3f, \"bf16\": %.3f, \"int8\": %.3f}, "
           "\"frame_ms\": {\"f32\": %.2f, \"bf16\": %.2f, \"int8\": %.2f}}\n",
           ck_isa_name(isa), lowest[0], lowest[0] / 0.7, peaks[0], peaks[1], peaks[2], lowest[0], lowest[1], lowest[2],
           frames[0], frames[1], frames[2]);
    return 0;
}
