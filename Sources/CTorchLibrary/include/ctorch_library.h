/// The one symbol that `libctorch.so` offers.
#ifndef CTORCH_LIBRARY_H
#define CTORCH_LIBRARY_H
#include "ctorch.h"
#ifdef __cplusplus
extern "C"
#endif
__attribute__((visibility("default"))) const ct_api *ct_table(void);
#endif
