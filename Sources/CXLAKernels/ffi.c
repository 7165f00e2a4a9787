#include "ffi.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static ffi_error *error_of(const ffi_api *api, int code, const char *message) {
    ffi_error_arguments arguments = {sizeof arguments, NULL, message, code};
    return api->create_error(&arguments);
}

ffi_error *ffi_fail(const ffi_call *call, int code, const char *message) { return error_of(call->api, code, message); }

int ffi_answers_metadata(const ffi_call *call) {
    for (ffi_extension *e = call->extensions; e; e = e->next)
        if (e->type == FFI_METADATA_EXTENSION) {
            ffi_metadata *const metadata = ((ffi_metadata_extension *)e)->metadata;
            // Within a major version the structures only grow, so every minor one is spoken here.
            metadata->version.major = 0;
            metadata->version.minor = call->api->version.major == 0 ? call->api->version.minor : 0;
            metadata->traits = 0;
            return 1;
        }
    return 0;
}

const ffi_buffer *ffi_buffer_at(const ffi_buffers *all, int64_t index, int type, int64_t rank) {
    if (index >= all->count || all->types[index] != FFI_BUFFER) return NULL;
    const ffi_buffer *const b = all->values[index];
    return b->type == type && b->rank == rank ? b : NULL;
}

int64_t ffi_integer(const ffi_call *call, const char *name, int64_t otherwise) {
    for (int64_t i = 0; i < call->attributes.count; i++) {
        const ffi_string *const given = call->attributes.names[i];
        if (given->length != strlen(name) || memcmp(given->text, name, given->length) != 0) continue;
        const ffi_scalar *const scalar = call->attributes.values[i];
        if (call->attributes.types[i] == FFI_SCALAR && scalar->type == FFI_S64) return *(const int64_t *)scalar->value;
    }
    return otherwise;
}

/// Parts are taken one by one by whoever comes: a task that XLA starts late, or never, finds none left. So nobody waits
/// for a thread that waits for him.
typedef struct {
    const ffi_api *api;
    atomic_size_t next, done, holders;
    size_t count;
    ffi_part *body;
    const void *context;
    atomic_bool failed;
    /// Of a call that its handler leaves. The second of two ends it: the handler, when this is set, and who has done the last part.
    ffi_future *future;
    atomic_bool is_over;
    _Alignas(16) char copy[];
} job;

static ffi_error *no_memory(const ffi_api *api) {
    return error_of(api, FFI_RESOURCE_EXHAUSTED, "there is no memory for a kernel");
}

/// Whether there is an error, which is then discarded: the work is done without help.
static bool failed(const ffi_api *api, ffi_error *error) {
    if (!error) return false;
    ffi_destroy_arguments arguments = {sizeof arguments, NULL, error};
    api->destroy_error(&arguments);
    return true;
}

static void end_call(const job *j) {
    if (j->failed) {
        ffi_future_error_arguments arguments = {sizeof arguments, NULL, j->future, no_memory(j->api)};
        failed(j->api, j->api->set_error(&arguments));
    } else {
        ffi_future_arguments arguments = {sizeof arguments, NULL, j->future};
        failed(j->api, j->api->set_available(&arguments));
    }
}

/// - Returns: whether this thread has done the last part.
static bool work(job *j) {
    bool is_last = false;
    for (size_t part; (part = atomic_fetch_add(&j->next, 1)) < j->count;) {
        if (!j->body(j->context, part)) j->failed = true;
        is_last = atomic_fetch_add(&j->done, 1) + 1 == j->count;
    }
    return is_last;
}

static void let_go(job *j) {
    if (atomic_fetch_sub(&j->holders, 1) == 1) free(j);
}

static void help(void *data) {
    job *const j = data;
    if (work(j) && atomic_exchange(&j->is_over, true)) end_call(j);
    let_go(j);
}

static size_t thread_count(const ffi_call *call) {
    const ffi_api *const api = call->api;
    if (api->size < offsetof(ffi_api, create_future) || !api->schedule || !api->thread_count) return 1;
    int64_t count = 1;
    ffi_thread_count_arguments arguments = {sizeof arguments, NULL, call->context, &count};
    return !failed(api, api->thread_count(&arguments)) && count > 1 ? (size_t)count : 1;
}

/// A job that others have been asked to help with, and that this thread has no parts of left to take. NULL if it is alone, and has
/// done them all: `result` then is the handler's.
static job *begin(
    const ffi_call *call, size_t count, ffi_part *body, const void *context, size_t copied, ffi_error **result)
{
    const size_t threads = count > 1 ? thread_count(call) : 1;
    job *const j = threads > 1 ? malloc(sizeof *j + copied) : NULL;
    if (!j) {
        bool succeeds = true;
        for (size_t part = 0; part < count; part++) succeeds = body(context, part) && succeeds;
        *result = succeeds ? NULL : no_memory(call->api);
        return NULL;
    }
    *j = (job){.api = call->api, .holders = 1, .count = count, .body = body, .context = context};
    if (copied > 0) j->context = memcpy(j->copy, context, copied);
    for (size_t helper = 1; helper < (threads < count ? threads : count); helper++) {
        atomic_fetch_add(&j->holders, 1);
        ffi_schedule_arguments arguments = {sizeof arguments, NULL, call->context, help, j};
        if (failed(call->api, call->api->schedule(&arguments))) {
            let_go(j);
            break;
        }
    }
    work(j);
    return j;
}

static ffi_error *wait_for(job *j) {
    for (unsigned turn = 0; atomic_load(&j->done) < j->count; turn++)
        if (turn > 1000) sched_yield();
    ffi_error *const error = j->failed ? no_memory(j->api) : NULL;
    let_go(j);
    return error;
}

ffi_error *ffi_share(const ffi_call *call, size_t count, ffi_part *body, const void *context) {
    ffi_error *result;
    job *const j = begin(call, count, body, context, 0, &result);
    return j ? wait_for(j) : result;
}

ffi_error *ffi_share_last(ffi_call *call, size_t count, ffi_part *body, const void *context, size_t size) {
    ffi_error *result;
    job *const j = begin(call, count, body, context, size, &result);
    if (!j) return result;
    const ffi_api *const api = call->api;
    if (atomic_load(&j->done) == count || api->size < sizeof *api || !api->create_future) return wait_for(j);
    ffi_future_arguments arguments = {sizeof arguments, NULL, NULL};
    if (failed(api, api->create_future(&arguments))) return wait_for(j);
    j->future = call->future = arguments.future;
    if (atomic_exchange(&j->is_over, true)) end_call(j);
    let_go(j);
    return NULL;
}
