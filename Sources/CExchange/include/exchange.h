/// Calls of the system that Swift's overlay does not offer.
#ifndef EXCHANGE_H
#define EXCHANGE_H

/// Exchanges two paths in one step: each then names what the other did. 0 for success, -1 with `errno` set
/// otherwise, also where the system or the file system cannot.
int wane_exchange_paths(const char *a, const char *b);

#endif
