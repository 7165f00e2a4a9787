/* A live stream through a model, a frame at a time: PCM of 32-bit floats at the model's rate from standard input to standard
 * output. With a second argument, the codes of each frame go to that file, a line each.
 *
 *     cc live.c -I../../include -L../../dist/c -lallophone -Wl,-rpath,$PWD/../../dist/c -o live
 *     arecord -t raw -f FLOAT_LE -r 24000 | ./live MODEL | aplay -f FLOAT_LE -r 24000
 */
#include <allophone.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void check(allophone_status status) {
    if (status == ALLOPHONE_OK) return;
    fprintf(stderr, "error %d: %s\n", (int)status, allophone_error_message());
    exit(1);
}

static void fail(const char *file) {
    perror(file);
    exit(1);
}

int main(int count, char **arguments) {
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: live MODEL [CODES] < IN.f32 > OUT.f32\n");
        return 64;
    }
    FILE *list = count == 3 ? fopen(arguments[2], "w") : NULL;
    if (count == 3 && !list) fail(arguments[2]);

    allophone_codec *codec;
    allophone_format format;
    allophone_encoder *encoder;
    allophone_decoder *decoder;
    size_t delay, made;
    check(allophone_codec_open(arguments[1], ALLOPHONE_ENCODE_AND_DECODE, ALLOPHONE_F32, 1, &codec));
    check(allophone_codec_format(codec, &format));
    check(allophone_codec_delay(codec, &delay));
    check(allophone_encoder_create(codec, &encoder));
    check(allophone_decoder_create(codec, &decoder));
    /* The streams keep what they need. */
    allophone_codec_close(codec);

    float *samples = malloc((delay > format.hop ? delay : format.hop) * sizeof *samples);
    uint64_t *codes = malloc(format.level_count * sizeof *codes);
    if (!samples || !codes) fail("memory");
    for (size_t read = 1; read > 0;) {
        size_t frames;
        /* At most a hop of samples completes at most one frame. */
        read = fread(samples, sizeof *samples, format.hop, stdin);
        if (ferror(stdin)) fail("standard input");
        if (read > 0) check(allophone_encoder_push(encoder, samples, read, codes, 1, &frames));
        else check(allophone_encoder_flush(encoder, codes, 1, &frames));
        check(allophone_decoder_push(decoder, codes, frames, samples, format.hop, &made));
        if (fwrite(samples, sizeof *samples, made, stdout) < made || fflush(stdout)) fail("standard output");
        for (uint32_t level = 0; list && frames && level < format.level_count; level++)
            if (fprintf(list, "%" PRIu64 "%c", codes[level], level + 1 < format.level_count ? ' ' : '\n') < 0)
                fail(arguments[2]);
    }
    check(allophone_decoder_flush(decoder, samples, delay, &made));
    if (fwrite(samples, sizeof *samples, made, stdout) < made) fail("standard output");

    allophone_encoder_destroy(encoder);
    allophone_decoder_destroy(decoder);
    free(samples);
    free(codes);
    if (list && fclose(list)) fail(arguments[2]);
    return 0;
}
