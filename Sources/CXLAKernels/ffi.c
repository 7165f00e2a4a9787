#include "ffi.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

ffi_error *ffi_fail(const ffi_call *call, int code, const char *message) {
    ffi_error_arguments arguments = {sizeof arguments, NULL, message, code};
    return call->api->create_error(&arguments);
}

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
    atomic_size_t next, done, holders;
    size_t count;
    void (*body)(void *, size_t);
    void *context;
} job;

static void work(job *j) {
    for (size_t part; (part = atomic_fetch_add(&j->next, 1)) < j->count;) {
        j->body(j->context, part);
        atomic_fetch_add_explicit(&j->done, 1, memory_order_release);
    }
}

static void let_go(job *j) {
    if (atomic_fetch_sub(&j->holders, 1) == 1) free(j);
}

static void help(void *data) {
    work(data);
    let_go(data);
}

/// Whether there is an error, which is then discarded: the work is done without help.
static bool failed(const ffi_api *api, ffi_error *error) {
    if (!error) return false;
    ffi_destroy_arguments arguments = {sizeof arguments, NULL, error};
    api->destroy_error(&arguments);
    return true;
}

static size_t thread_count(const ffi_call *call) {
    const ffi_api *const api = call->api;
    if (api->size < sizeof *api || !api->schedule || !api->thread_count) return 1;
    int64_t count = 1;
    ffi_thread_count_arguments arguments = {sizeof arguments, NULL, call->context, &count};
    return !failed(api, api->thread_count(&arguments)) && count > 1 ? (size_t)count : 1;
}

void ffi_share(const ffi_call *call, size_t count, void (*body)(void *, size_t), void *context) {
    const size_t threads = count > 1 ? thread_count(call) : 1;
    job *const j = threads > 1 ? malloc(sizeof *j) : NULL;
    if (!j) {
        for (size_t part = 0; part < count; part++) body(context, part);
        return;
    }
    atomic_init(&j->next, 0);
    atomic_init(&j->done, 0);
    atomic_init(&j->holders, 1);
    j->count = count;
    j->body = body;
    j->context = context;
    for (size_t helper = 1; helper < (threads < count ? threads : count); helper++) {
        atomic_fetch_add(&j->holders, 1);
        ffi_schedule_arguments arguments = {sizeof arguments, NULL, call->context, help, j};
        if (failed(call->api, call->api->schedule(&arguments))) {
            let_go(j);
            break;
        }
    }
    work(j);
    for (unsigned turn = 0; atomic_load_explicit(&j->done, memory_order_acquire) < count; turn++)
        if (turn > 1000) sched_yield();
    let_go(j);
}
