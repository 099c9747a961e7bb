#include "numbers.h"

#include <stdio.h>

int number_write(char *text, size_t size, int digits, double value) { return snprintf(text, size, "%.*g", digits, value); }
