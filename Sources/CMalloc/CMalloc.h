// Of glibc alone; elsewhere the module is empty.
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
