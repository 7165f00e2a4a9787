#include "CLoaded.h"
#include <dlfcn.h>
#include <pthread.h>

#define POINTER(result, name, parameters, arguments) result (*name) parameters;
static struct {
    CURL_FUNCTIONS(POINTER)
    __typeof__(curl_easy_setopt) *set_option;
} libcurl;
static struct { ARCHIVE_FUNCTIONS(POINTER) } libarchive;

static bool curl_is_loaded, archive_is_loaded;

static void *library(const char *const names[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        void *const handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (handle) return handle;
    }
    return NULL;
}

static void load_curl(void) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"};
    void *const handle = library(names, sizeof names / sizeof *names);
    if (!handle) return;
    curl_is_loaded = true;
#define FIND(result, name, parameters, arguments) \
    curl_is_loaded &= (libcurl.name = (result(*) parameters)dlsym(handle, #name)) != NULL;
    CURL_FUNCTIONS(FIND)
#undef FIND
    libcurl.set_option = (__typeof__(libcurl.set_option))dlsym(handle, "curl_easy_setopt");
    curl_is_loaded &= libcurl.set_option != NULL;
}

static void load_archive(void) {
    static const char *const names[] = {"libarchive.so.13", "libarchive.13.dylib"};
    void *const handle = library(names, sizeof names / sizeof *names);
    if (!handle) return;
    archive_is_loaded = true;
#define FIND(result, name, parameters, arguments) \
    archive_is_loaded &= (libarchive.name = (result(*) parameters)dlsym(handle, #name)) != NULL;
    ARCHIVE_FUNCTIONS(FIND)
#undef FIND
}

bool loaded_curl(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_curl);
    return curl_is_loaded;
}

bool loaded_archive(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_archive);
    return archive_is_loaded;
}

#define FORWARD(result, name, parameters, arguments) \
    result loaded_##name parameters { return libcurl.name arguments; }
CURL_FUNCTIONS(FORWARD)
#undef FORWARD
#define FORWARD(result, name, parameters, arguments) \
    result loaded_##name parameters { return libarchive.name arguments; }
ARCHIVE_FUNCTIONS(FORWARD)

// A macro of libcurl's checks the types of calls by name; these go by a pointer and are spared it.
CURLcode loaded_curl_set_long(CURL *handle, CURLoption option, long value) {
    return libcurl.set_option(handle, option, value);
}
CURLcode loaded_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return libcurl.set_option(handle, option, value);
}
CURLcode loaded_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return libcurl.set_option(handle, option, value);
}
CURLcode loaded_curl_set_receiver(CURL *handle, CURLoption option, curl_receiver receiver) {
    return libcurl.set_option(handle, option, receiver);
}
