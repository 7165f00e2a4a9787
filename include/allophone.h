/* Allophone for C and whatever can call C: speech to tokens and back, whole or as a stream, on this CPU with no plugin.
 *
 * Samples are mono floats between -1 and 1 at the model's rate. Tokens are codes, `level_count` of them for each frame of
 * `hop` samples, all levels of the first frame first: `[frames, level_count]`.
 *
 * Errors. Every function that can fail returns an allophone_status and leaves a message for allophone_error_message().
 * A call that fails leaves its stream as it was, and gives a handle of NULL or a count of 0. NULL where a pointer is needed
 * is an error; an array of no elements may be NULL.
 *
 * Ownership. What the caller opens, creates or clones, the caller closes or destroys, once; NULL is ignored there. Streams
 * keep what they need of their codec, so it may be closed before them. Arrays belong to the caller, and nothing is kept of
 * them after the call.
 *
 * Threads. Everything may be called from any thread. A codec serves any number of threads at once, and all its streams
 * share one set of weights. Calls of one stream wait for each other; nothing may be used while it is being closed or destroyed.
 * A child that is forked while no call is under way may go on with all it has: the thread that calls works alone then, and
 * gives the same.
 *
 * Unloading. The shared library stays in memory until the process ends, even after dlclose().
 */
#ifndef ALLOPHONE_H
#define ALLOPHONE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface; it changes when a program that was compiled with an older header would break. */
#define ALLOPHONE_INTERFACE 1

/* The version of the interface that the library has: compare it with ALLOPHONE_INTERFACE. */
uint32_t allophone_interface(void);

typedef enum allophone_status {
    ALLOPHONE_OK = 0,
    /* A pointer is NULL, a handle is of another kind, or a number is none that the function knows. */
    ALLOPHONE_ERROR_ARGUMENT = 1,
    /* An output array has no room for what would be written. */
    ALLOPHONE_ERROR_CAPACITY = 2,
    /* A file is missing or cannot be read. */
    ALLOPHONE_ERROR_FILE = 3,
    /* A file is not a model, is damaged, needs a newer library, or holds other weights than its configuration says, or
     * weights that are not finite. */
    ALLOPHONE_ERROR_MODEL = 4,
    /* A sample is NaN, infinite or far out of range. */
    ALLOPHONE_ERROR_SAMPLES = 5,
    /* A code is not in its codebook: the tokens are damaged, or of another model. */
    ALLOPHONE_ERROR_CODES = 6,
    /* The codec was opened without this use, or for ALLOPHONE_SEARCH of a model that has no bits to search. */
    ALLOPHONE_ERROR_USE = 7,
    /* A defect of the library. */
    ALLOPHONE_ERROR_INTERNAL = 8
} allophone_status;

/* What went wrong in the last call on this thread that failed, in UTF-8 and English; "" if none has. Valid until the
 * next call on this thread that fails, and not to be freed. */
const char *allophone_error_message(void);

/* ---- Codecs: a model at work */

typedef struct allophone_codec allophone_codec;

/* What a codec is used for, or'ed; one use alone loads faster and takes less memory. */
typedef enum allophone_use {
    ALLOPHONE_ENCODE = 1,
    ALLOPHONE_DECODE = 2,
    ALLOPHONE_ENCODE_AND_DECODE = 3,
    /* allophone_encode_searching, which decodes: ALLOPHONE_DECODE is had with it. */
    ALLOPHONE_SEARCH = 4
} allophone_use;

/* What weights are held and multiplied in. */
typedef enum allophone_precision {
    ALLOPHONE_F32 = 0,
    /* Half the memory, and faster where the processor has instructions for it; tokens and sound differ a little. */
    ALLOPHONE_BF16 = 1,
    /* A quarter of the memory, and differs more. */
    ALLOPHONE_INT8 = 2
} allophone_precision;

/* Opens the model file at `path` (model.safetensors, as `allophone train`, `convert`, `average` or `prior` writes it).
 *
 * path       UTF-8, ending in a zero.
 * use        one or more of allophone_use.
 * precision  an allophone_precision.
 * threads    1 to 256; how many share the work where many frames are given at once. A frame alone, as in a live stream, is
 *            computed by the thread that calls, unless codes are searched.
 * codec      receives the codec.
 */
allophone_status allophone_codec_open(
    const char *path, uint32_t use, uint32_t precision, uint32_t threads, allophone_codec **codec);

void allophone_codec_close(allophone_codec *codec);

typedef struct allophone_format {
    uint32_t sample_rate;    /* samples per second */
    uint32_t hop;            /* samples per frame; sample_rate / hop is the frame rate */
    uint32_t level_count;    /* codes per frame */
    uint32_t bits_per_frame; /* what a frame's codes take, packed */
    uint8_t fingerprint[32]; /* tells this model from every other: tokens of one mean nothing to another */
} allophone_format;

allophone_status allophone_codec_format(const allophone_codec *codec, allophone_format *format);

/* How many samples the sound of a stream of tokens is late: a multiple of hop, and 0 for most models.
 *
 * samples   receives them.
 */
allophone_status allophone_codec_delay(const allophone_codec *codec, size_t *samples);

typedef enum allophone_level_kind {
    /* The code is an index into a codebook. */
    ALLOPHONE_VQ = 0,
    /* The code is signs, one bit each, the first the lowest. */
    ALLOPHONE_BSQ = 1
} allophone_level_kind;

typedef struct allophone_level {
    uint32_t kind;         /* an allophone_level_kind */
    uint32_t bits;         /* what a code takes, packed */
    uint64_t largest_code; /* codes are 0 to this */
} allophone_level;

/* level: 0 to level_count - 1. */
allophone_status allophone_codec_level(const allophone_codec *codec, uint32_t level, allophone_level *description);

/* ---- Whole recordings */

/* Encodes a recording; the last frame is filled up with silence.
 *
 * samples   [count]; of any length: memory does not grow with it.
 * codes     receives [*frames, level_count].
 * capacity  frames that `codes` has room for; count / hop are needed, rounded up.
 * frames    receives how many there are.
 */
allophone_status allophone_encode(
    const allophone_codec *codec, const float *samples, size_t count, uint64_t *codes, size_t capacity, size_t *frames);

/* Encodes a recording as allophone_encode does, but tries out codes near the encoder's own and keeps what decodes to the nearest of the
 * recording: better sound of as many bits, found in many times the time. All codes count alike, whatever the model's prior: nothing here
 * writes files with it. The codec's threads share the work.
 *
 * paths     1 to 64: how many beginnings are gone on with at once. 4 is a good number.
 */
allophone_status allophone_encode_searching(
    const allophone_codec *codec, uint32_t paths, const float *samples, size_t count, uint64_t *codes, size_t capacity,
    size_t *frames);

/* Decodes a recording.
 *
 * codes     [frames, level_count].
 * samples   receives [*count].
 * capacity  samples that `samples` has room for; frames * hop are needed.
 * count     receives how many there are.
 */
allophone_status allophone_decode(
    const allophone_codec *codec, const uint64_t *codes, size_t frames, float *samples, size_t capacity, size_t *count);

/* ---- Streams of sound: a frame's codes are there with its last sample, and do not depend on how a stream is cut */

/* The most samples that one push of an encoder takes, or of a decoder gives. */
#define ALLOPHONE_PUSH_LIMIT ((size_t)1 << 24)

typedef struct allophone_encoder allophone_encoder;

/* Begins a stream. Needs ALLOPHONE_ENCODE. */
allophone_status allophone_encoder_create(const allophone_codec *codec, allophone_encoder **encoder);

/* Takes samples, any number up to ALLOPHONE_PUSH_LIMIT, and gives the codes of the frames that they complete.
 *
 * samples   [count].
 * codes     receives [*frames, level_count].
 * capacity  frames that `codes` has room for; (count + hop - 1) / hop are always enough.
 * frames    receives how many there are, which may be 0.
 */
allophone_status allophone_encoder_push(
    allophone_encoder *encoder, const float *samples, size_t count, uint64_t *codes, size_t capacity, size_t *frames);

/* Gives the frame of what is left, filled up with silence: one, or none if nothing is left. The stream goes on after
 * that silence; reset it to begin another. */
allophone_status allophone_encoder_flush(
    allophone_encoder *encoder, uint64_t *codes, size_t capacity, size_t *frames);

/* Begins again, as a new stream, even in the middle of a frame. */
allophone_status allophone_encoder_reset(allophone_encoder *encoder);

/* Makes a second stream that goes on from the same place. */
allophone_status allophone_encoder_clone(const allophone_encoder *encoder, allophone_encoder **clone);

void allophone_encoder_destroy(allophone_encoder *encoder);

/* ---- Streams of tokens: a frame's samples are there at once, or allophone_codec_delay later */

typedef struct allophone_decoder allophone_decoder;

/* Begins a stream. Needs ALLOPHONE_DECODE. */
allophone_status allophone_decoder_create(const allophone_codec *codec, allophone_decoder **decoder);

/* Takes frames, any number of up to ALLOPHONE_PUSH_LIMIT samples, and gives their samples, or those of as many frames before: the first
 * frames of a stream whose codec has a delay give nothing yet.
 *
 * codes     [frames, level_count].
 * samples   receives [*count].
 * capacity  samples that `samples` has room for; frames * hop are needed.
 * count     receives how many there are, which may be 0.
 */
allophone_status allophone_decoder_push(
    allophone_decoder *decoder, const uint64_t *codes, size_t frames, float *samples, size_t capacity, size_t *count);

/* Gives the samples that a codec with a delay has not given yet, which ends the stream; reset it to begin another. A codec without
 * a delay has none.
 *
 * samples   receives [*count].
 * capacity  samples that `samples` has room for; allophone_codec_delay are needed.
 * count     receives how many there are.
 */
allophone_status allophone_decoder_flush(
    allophone_decoder *decoder, float *samples, size_t capacity, size_t *count);

allophone_status allophone_decoder_reset(allophone_decoder *decoder);

allophone_status allophone_decoder_clone(const allophone_decoder *decoder, allophone_decoder **clone);

void allophone_decoder_destroy(allophone_decoder *decoder);

#ifdef __cplusplus
}
#endif

#endif
