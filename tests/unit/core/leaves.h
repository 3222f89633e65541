/* That the log names no row: every leaf of a store is looked at. */
#ifndef TESTS_UNIT_CORE_LEAVES_H
#define TESTS_UNIT_CORE_LEAVES_H

/* Ends the program of the tests (a teardown of a group that fails is not counted) where a readable
 * member of a leaf is a number that is not known to be a count, a version, a length of time or
 * another figure: the number of a row would tell for ever whose the leaf is (protocol/log.md
 * section 1). */
void leaves_name_no_row(const char *store_path);

#endif
