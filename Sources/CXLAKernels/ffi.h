// What of XLA's FFI (its C interface for custom calls, major version 0) the handlers here use, declared anew: the plugins'
// wheels do not bring its header. The structures are those of xla/ffi/api/c_api.h in order and size; those that XLA
// extends at their end are declared only as far as they are read.
#ifndef XK_FFI_H
#define XK_FFI_H

#include <stdbool.h>
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
typedef struct ffi_future ffi_future;

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
    ffi_future *future;
} ffi_future_arguments;

typedef struct {
    size_t size;
    ffi_extension *extensions;
    ffi_future *future;
    ffi_error *error;
} ffi_future_error_arguments;

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
    ffi_error *(*create_future)(ffi_future_arguments *);
    ffi_error *(*set_available)(ffi_future_arguments *);
    ffi_error *(*set_error)(ffi_future_error_arguments *);
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
    /// Set by a handler that returns before the call has ended. Plugins whose table has futures have it; `size` leaves it out.
    ffi_future *future;
} ffi_call;

/// A new error of the framework's.
ffi_error *ffi_fail(const ffi_call *call, int code, const char *message);

/// Answers XLA's question which version the handler speaks, if this is it.
int ffi_answers_metadata(const ffi_call *call);

/// The buffer at `index` of a call's operands or results, if it is one of this type and rank.
const ffi_buffer *ffi_buffer_at(const ffi_buffers *all, int64_t index, int type, int64_t rank);

/// The integer attribute `name`, or `otherwise`.
int64_t ffi_integer(const ffi_call *call, const char *name, int64_t otherwise);

/// One part of some work; false if there is no memory for it.
typedef bool ffi_part(const void *context, size_t part);

/// Runs `body` for every part of `count` on XLA's threads and this one, and returns when all have ended.
/// - Returns: NULL or an error, to be returned by the handler.
ffi_error *ffi_share(const ffi_call *call, size_t count, ffi_part *body, const void *context);

/// The same as the last thing that a handler does: it returns when there are no parts left to take, and the call ends when the
/// others have ended theirs. Meanwhile this thread can do what needs none of its results.
/// - context: copied, `size` bytes.
ffi_error *ffi_share_last(ffi_call *call, size_t count, ffi_part *body, const void *context, size_t size);

#endif
