#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/render/stamp.h"

#define WIDTH 60
#define HEIGHT 30

static void the_clock_shows_local_time_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        int offset_min;
        const char *text;
    } cases[] = {{0, "2026-11-18 11:06:40 +00:00"},
                 {300, "2026-11-18 16:06:40 +05:00"},
                 {-210, "2026-11-18 07:36:40 -03:30"},
                 {14 * 60, "2026-11-19 01:06:40 +14:00"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CK_STAMP_TEXT_MAX];
        ck_stamp_clock((struct ck_wall){INT64_C(1795000000999)}, cases[i].offset_min, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_letter_is_drawn_dot_by_dot(void **state)
{
    (void)state;
    uint8_t pixels[WIDTH * HEIGHT];
    struct ck_stamp_plane plane = {pixels, WIDTH, WIDTH, HEIGHT};
    memset(pixels, 100, sizeof pixels);
    ck_stamp_draw(&plane, 2, 3, 1, "T", 1);
    static const char *const rows[] = {"......", "#####.", "..#...", "..#...", "..#...",
                                       "..#...", "..#...", "..#...", "......"};
    for (unsigned y = 0; y < HEIGHT; y++) {
        for (unsigned x = 0; x < WIDTH; x++) {
            bool inside = x >= 2 && x < 2 + CK_STAMP_COLUMNS && y >= 3 && y < 3 + CK_STAMP_ROWS;
            uint8_t wanted = !inside                     ? 100
                             : rows[y - 3][x - 2] == '#' ? CK_STAMP_LIGHT
                                                         : CK_STAMP_DARK;
            assert_int_equal(pixels[y * WIDTH + x], wanted);
        }
    }
}

static void letters_that_are_missing_are_question_marks(void **state)
{
    (void)state;
    uint8_t cyrillic[WIDTH * HEIGHT] = {0};
    uint8_t marks[WIDTH * HEIGHT] = {0};
    struct ck_stamp_plane plane = {cyrillic, WIDTH, WIDTH, HEIGHT};
    static const char text[] = "\xD0\x96\xD0\xB0 x";
    ck_stamp_draw(&plane, 0, 0, 1, text, strlen(text));
    plane.data = marks;
    ck_stamp_draw(&plane, 0, 0, 1, "?? X", 4);
    assert_memory_equal(cyrillic, marks, sizeof marks);
}

static void nothing_is_drawn_outside(void **state)
{
    (void)state;
    uint8_t pixels[WIDTH * HEIGHT + 64];
    struct ck_stamp_plane plane = {pixels, WIDTH, WIDTH - 10, HEIGHT};
    memset(pixels, 100, sizeof pixels);
    ck_stamp_draw(&plane, 0, HEIGHT - 4, 3, "88888888", 8);
    ck_stamp_draw(&plane, WIDTH, HEIGHT, 3, "8", 1);
    for (unsigned y = 0; y < HEIGHT; y++) {
        for (unsigned x = WIDTH - 10; x < WIDTH; x++) {
            assert_int_equal(pixels[y * WIDTH + x], 100);
        }
    }
    for (size_t i = WIDTH * HEIGHT; i < sizeof pixels; i++) {
        assert_int_equal(pixels[i], 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_shows_local_time_with_its_offset),
        cmocka_unit_test(a_letter_is_drawn_dot_by_dot),
        cmocka_unit_test(letters_that_are_missing_are_question_marks),
        cmocka_unit_test(nothing_is_drawn_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
