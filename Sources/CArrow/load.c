#include "carrow.h"

#include <dlfcn.h>
#include <stdio.h>

const ca_api *ca_load(const char *path, char *error, size_t error_size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(error, error_size, "%s", dlerror());
    return NULL;
  }
  const ca_api *(*table)(void) = (const ca_api *(*)(void))dlsym(library, "ca_table_of_functions");
  if (table == NULL) {
    snprintf(error, error_size, "%s holds no ca_table_of_functions", path);
    return NULL;
  }
  return table();
}
