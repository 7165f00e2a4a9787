#include "CPJRT.h"
