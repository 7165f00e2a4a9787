// What of XLA's FFI (its C interface for custom calls, major version 0) the handlers here use, declared anew: the plugins'
// wheels do not bring its header. The structures are those of xla/ffi/api/c_api.h in order and size; those that XLA
// extends at their end are declared only as far as they are read.
#ifndef XK_FFI_H
#define XK_FFI_H

#include <stddef.h>
#include <stdint.h>

enum { FFI_METADATA_EXTENSION = 1, FFI_EXECUTE = 3, FFI_BUFFER = 1, FFI_SCALAR = 3 };
enum { FFI_S64 = 5, FFI_U8 = 6, FFI_F32 = 11 };
enum { FFI_INVALID_ARGUMENT = 3, FFI_RESOURCE_EXHAUSTED = 8 };

typedef struct ffi_extension {
    size_t size;
    int type;
    struct ffi_extension *next;
} ffi_extension;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    int major, minor;
} ffi_version;

typedef struct {
    size_t size;
    ffi_version version;
    uint32_t traits;
} ffi_metadata;

typedef struct {
    ffi_extension base;
    ffi_metadata *metadata;
} ffi_metadata_extension;

typedef struct ffi_error ffi_error;
typedef struct ffi_context ffi_context;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    const char *message;
    int code;
} ffi_error_arguments;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    ffi_error *error;
} ffi_destroy_arguments;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    ffi_context *context;
    void (*task)(void *);
    void *data;
} ffi_schedule_arguments;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    ffi_context *context;
    int64_t *count;
} ffi_thread_count_arguments;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    ffi_version version;
    const void *internal;
    ffi_error *(*create_error)(ffi_error_arguments *);
    void *get_message;
    void (*destroy_error)(ffi_destroy_arguments *);
    void *other[8];
    ffi_error *(*schedule)(ffi_schedule_arguments *);
    ffi_error *(*thread_count)(ffi_thread_count_arguments *);
} ffi_api;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    int type;
    void *data;
    int64_t rank;
    const int64_t *dimensions;
} ffi_buffer;

typedef struct {
    int type;
    void *value;
} ffi_scalar;

typedef struct {
    const char *text;
    size_t length;
} ffi_string;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    int64_t count;
    const int *types;
    void **values;
} ffi_buffers;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    int64_t count;
    const int *types;
    const ffi_string **names;
    void **values;
} ffi_attributes;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    const ffi_api *api;
    ffi_context *context;
    int stage;
    ffi_buffers operands;
    ffi_buffers results;
    ffi_attributes attributes;
} ffi_call;

/// A new error of the framework's.
ffi_error *ffi_fail(const ffi_call *call, int code, const char *message);

/// Answers XLA's question which version the handler speaks, if this is it.
int ffi_answers_metadata(const ffi_call *call);

/// The buffer at `index` of a call's operands or results, if it is one of this type and rank.
const ffi_buffer *ffi_buffer_at(const ffi_buffers *all, int64_t index, int type, int64_t rank);

/// The integer attribute `name`, or `otherwise`.
int64_t ffi_integer(const ffi_call *call, const char *name, int64_t otherwise);

/// Runs `body(context, part)` for every part of `count` on XLA's threads and this one, and returns when all have ended.
void ffi_share(const ffi_call *call, size_t count, void (*body)(void *context, size_t part), void *context);

#endif
