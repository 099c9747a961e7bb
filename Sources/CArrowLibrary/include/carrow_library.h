/// The one symbol that `libcarrow.so` offers.
#ifndef CARROW_LIBRARY_H
#define CARROW_LIBRARY_H
#include "carrow.h"
#ifdef __cplusplus
extern "C"
#endif
__attribute__((visibility("default"))) const ca_api *ca_table_of_functions(void);
#endif
