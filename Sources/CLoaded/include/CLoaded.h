/// Libraries that only some data need, loaded when the first of it comes: who encodes a sound file is spared 36 shared
/// libraries, 6 ms and 5 MB that libcurl and libarchive bring along.
///
/// Their headers are used as they are; their functions are called through `loaded_NAME`, once `loaded_curl` or `loaded_archive` has
/// said that they are there.
#ifndef CLOADED_H
#define CLOADED_H

#include <archive.h>
#include <archive_entry.h>
#include <curl/curl.h>
#include <stdbool.h>

/// Loads the library, once. May be called by any number of threads.
/// - Returns: whether it is there, with all functions below.
bool loaded_curl(void);
bool loaded_archive(void);

/// Applies to result, name, parameters and arguments of each.
#define CURL_FUNCTIONS(APPLY) \
    APPLY(CURLcode, curl_global_init, (long flags), (flags)) \
    APPLY(CURL *, curl_easy_init, (void), ()) \
    APPLY(void, curl_easy_cleanup, (CURL *handle), (handle)) \
    APPLY(void, curl_easy_reset, (CURL *handle), (handle)) \
    APPLY(CURLcode, curl_easy_perform, (CURL *handle), (handle)) \
    APPLY(const char *, curl_easy_strerror, (CURLcode code), (code)) \
    APPLY(struct curl_slist *, curl_slist_append, (struct curl_slist *list, const char *text), (list, text)) \
    APPLY(void, curl_slist_free_all, (struct curl_slist *list), (list)) \
    APPLY(time_t, curl_getdate, (const char *text, const time_t *unused), (text, unused))

#define ARCHIVE_FUNCTIONS(APPLY) \
    APPLY(struct archive *, archive_read_new, (void), ()) \
    APPLY(int, archive_read_free, (struct archive *archive), (archive)) \
    APPLY(int, archive_read_support_format_tar, (struct archive *archive), (archive)) \
    APPLY(int, archive_read_support_filter_gzip, (struct archive *archive), (archive)) \
    APPLY(int, archive_read_support_filter_zstd, (struct archive *archive), (archive)) \
    APPLY(int, archive_read_open_fd, (struct archive *archive, int file, size_t block), (archive, file, block)) \
    APPLY(int, archive_read_next_header, (struct archive *archive, struct archive_entry **entry), (archive, entry)) \
    APPLY(int, archive_read_data_block, (struct archive *archive, const void **bytes, size_t *count, la_int64_t *offset), \
        (archive, bytes, count, offset)) \
    APPLY(int, archive_filter_count, (struct archive *archive), (archive)) \
    APPLY(la_int64_t, archive_filter_bytes, (struct archive *archive, int filter), (archive, filter)) \
    APPLY(const char *, archive_error_string, (struct archive *archive), (archive)) \
    APPLY(__LA_MODE_T, archive_entry_filetype, (struct archive_entry *entry), (entry)) \
    APPLY(const char *, archive_entry_hardlink, (struct archive_entry *entry), (entry)) \
    APPLY(const char *, archive_entry_pathname, (struct archive_entry *entry), (entry)) \
    APPLY(const char *, archive_entry_pathname_utf8, (struct archive_entry *entry), (entry)) \
    APPLY(la_int64_t, archive_entry_size, (struct archive_entry *entry), (entry))

#define LOADED_DECLARATION(result, name, parameters, arguments) result loaded_##name parameters;
CURL_FUNCTIONS(LOADED_DECLARATION)
ARCHIVE_FUNCTIONS(LOADED_DECLARATION)
#undef LOADED_DECLARATION

// Swift cannot call `curl_easy_setopt`, which is variadic.

typedef size_t (*curl_receiver)(char *bytes, size_t size, size_t count, void *context);

CURLcode loaded_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode loaded_curl_set_text(CURL *handle, CURLoption option, const char *value);
CURLcode loaded_curl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode loaded_curl_set_receiver(CURL *handle, CURLoption option, curl_receiver receiver);

#endif
