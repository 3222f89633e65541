/* SQLite as a simulator wants it: where a commit costs microseconds, other things count than on a
 * disk. One thread only.
 *
 * - Its memory comes from lists of blocks by size: the library asks for some hundred blocks a turn
 *   and gives them back at once.
 * - When the balancing of a tree swaps two pages, it gives one of them for a moment the number of
 *   the page at the byte 0x40000000. Its cache takes that for the highest number it has seen, and
 *   at the end of the transaction walks through all of its pages to drop those behind the end of
 *   the file: 100 us for 16,384 pages. Here the moment passes under the number 0, which no page
 *   has. */
#ifndef TESTS_SIM_LIBRARY_H
#define TESTS_SIM_LIBRARY_H

/* Before SQLite is used for the first time in the process. */
void library_install(void);

#endif
