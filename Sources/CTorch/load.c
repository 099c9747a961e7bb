#include "ctorch.h"

#include <dlfcn.h>
#include <stdio.h>

const ct_api *ct_load(const char *path, char *error, size_t error_size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(error, error_size, "%s", dlerror());
    return NULL;
  }
  const ct_api *(*table)(void) = (const ct_api *(*)(void))dlsym(library, "ct_table");
  if (table == NULL) {
    snprintf(error, error_size, "%s holds no ct_table", path);
    return NULL;
  }
  return table();
}
