#ifndef LAYER_H
#define LAYER_H

#include "CKernels.h"

/// Inputs and results, in all types. All layers share one, as they would in a program that plans its memory.
typedef struct {
    float *x, *y, *activated;
    uint16_t *halves;
    uint8_t *bytes;
    float *scales;
} working_memory;

/// A convolution of the reference codec.
typedef struct {
    const char *name;
    ck_conv conv;
    /// In a frame of 20 ms.
    size_t rows_per_frame;
    /// Whether the result is added to a skip, and whether Snake follows.
    bool residual, snake;

    size_t rows;
    void *packed;
    float *channels;
    working_memory buffers;
} layer;

enum { MAX_LAYERS = 128 };

/// The reference codec, encoder then decoder: width 32, strides 2·4·6·10, dilations 1·3·9, latent 256.
/// - Returns: how many.
size_t reference_codec(layer *layers);

/// Bytes of a layer's weights in a type from now on; one with one channel stays f32.
size_t weights_size(layer *l, ck_type type);

working_memory allocate_buffers(const layer *layers, size_t count, size_t frames);
void free_buffers(working_memory *memory);

/// Makes weights for a layer, to run on so many frames.
void prepare(layer *l, size_t frames, void *weights, const working_memory *buffers);
void discard(layer *l);

/// Rows `first ..< end`; in int8 with the quantising of their inputs.
void run(const layer *l, size_t first, size_t end);

double operations(const layer *l);

#endif
