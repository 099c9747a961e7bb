#ifndef NUMBERS_H
#define NUMBERS_H

#include <stddef.h>

/// Writes a finite number with so many significant digits, as `%g` does, and returns the length of what it is. Swift's own way to
/// `snprintf` makes an object of each argument, which takes longer than the writing.
int number_write(char *_Nonnull text, size_t size, int digits, double value);

#endif
