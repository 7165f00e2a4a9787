// The PJRT C API header comes from the XLA wheel that `make setup` fetches; it is never committed.
#include "../../../.xla/include/pjrt_c_api.h"
