// The PJRT C API header comes from the XLA wheel that `make setup` fetches; it is never committed.
#include "../../../.xla/include/pjrt_c_api.h"

#ifndef CPJRT_FFI_H
#define CPJRT_FFI_H

// The extension by which custom calls are registered. Its header is not in the wheel.

typedef struct {
    size_t struct_size;
    const char *target_name;
    size_t target_name_size;
    /// An `XLA_FFI_Handler`.
    void *handler;
    const char *platform_name;
    size_t platform_name_size;
    unsigned traits;
} CPJRT_RegisterHandler_Args;

typedef struct {
    PJRT_Extension_Base base;
    void *register_type;
    void *add_user_data;
    PJRT_Error *(*register_handler)(CPJRT_RegisterHandler_Args *);
} CPJRT_FFI_Extension;

#endif
