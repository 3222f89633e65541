#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/render.h"

static const struct ck_render_message examples[] = {
    {.kind = CK_RENDER_THUMBNAIL, .job = 1, .thumbnail = {320, 80}},
    {.kind = CK_RENDER_MEASURES, .job = UINT64_MAX},
    {.kind = CK_RENDER_PAPER, .job = 3},
    {.kind = CK_RENDER_EXPORT,
     .job = 3,
     .export = {480,
                -300,
                2,
                {{{1790000000000}, 0, 3, {"person", 6}}, {{1790000000100}, 1, 1, {"", 0}}}}},
    {.kind = CK_RENDER_READY, .ready = {CK_RENDER_VERSION, {"GStreamer 1.22", 14}}},
    {.kind = CK_RENDER_DONE, .job = 5, .done = {12345, 320, 240}},
    {.kind = CK_RENDER_MEASURED,
     .job = 6,
     .measured = {60000, 2, {{CK_RENDER_BLACK, 0, 500}, {CK_RENDER_SILENT, 100, 60000}}}},
    {.kind = CK_RENDER_FAILED, .job = 7, .failed = {CK_RENDER_FAULT_INPUT, {"no picture", 10}}},
};
#define EXAMPLES (sizeof examples / sizeof examples[0])

static void every_message_comes_back_as_it_went(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        static struct ck_render_message back;
        uint8_t bytes[CK_RENDER_MESSAGE_MAX];
        uint8_t again[CK_RENDER_MESSAGE_MAX];
        size_t size;
        size_t again_size;
        assert_int_equal(ck_render_encode(&examples[i], bytes, sizeof bytes, &size), 0);
        assert_int_equal(ck_render_decode(bytes, size, &back), 0);
        assert_int_equal(ck_render_encode(&back, again, sizeof again, &again_size), 0);
        assert_int_equal(size, again_size);
        assert_memory_equal(bytes, again, size);
    }
}

static void a_message_that_is_cut_or_too_long_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        static struct ck_render_message back;
        uint8_t bytes[CK_RENDER_MESSAGE_MAX + 1] = {0};
        size_t size;
        assert_int_equal(ck_render_encode(&examples[i], bytes, sizeof bytes, &size), 0);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(ck_render_decode(bytes, cut, &back), CK_E_TRUNCATED);
        }
        assert_int_equal(ck_render_decode(bytes, size + 1, &back), CK_E_SYNTAX);
    }
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct ck_render_message bad[] = {
        {.kind = CK_RENDER_THUMBNAIL, .thumbnail = {15, 80}},
        {.kind = CK_RENDER_THUMBNAIL, .thumbnail = {4097, 80}},
        {.kind = CK_RENDER_THUMBNAIL, .thumbnail = {320, 0}},
        {.kind = CK_RENDER_THUMBNAIL, .thumbnail = {320, 101}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 0, 0, {{{0}, 0, 3, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT,
         .export = {480, 0, CK_RENDER_INPUTS_MAX + 1, {{{0}, 0, 3, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 0, 1, {{{0}, 2, 3, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 0, 1, {{{0}, 1, 3, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 1000, 1, {{{0}, 0, 3, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 0, 1, {{{0}, 0, 0, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 0, 1, {{{0}, 0, 4, {NULL, 0}}}}},
        {.kind = CK_RENDER_EXPORT, .export = {480, 0, 1, {{{-1}, 0, 3, {NULL, 0}}}}},
        {.kind = CK_RENDER_READY, .ready = {CK_RENDER_VERSION - 1, {NULL, 0}}},
        {.kind = CK_RENDER_FAILED, .failed = {0, {NULL, 0}}},
        {.kind = CK_RENDER_MEASURED, .measured = {1, 1, {{5, 0, 1}}}},
        {.kind = CK_RENDER_MEASURED, .measured = {1, 1, {{1, 2, 1}}}},
        {.kind = 99},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[CK_RENDER_MESSAGE_MAX];
        size_t size;
        assert_int_equal(ck_render_encode(&bad[i], bytes, sizeof bytes, &size), CK_E_INVALID);
    }
    static struct ck_render_message many = {.kind = CK_RENDER_MEASURED,
                                            .measured = {.count = CK_RENDER_SPANS_MAX + 1}};
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t size;
    assert_int_equal(ck_render_encode(&many, bytes, sizeof bytes, &size), CK_E_LIMIT);
    /* The most there can be fits. */
    many.measured.count = CK_RENDER_SPANS_MAX;
    for (unsigned i = 0; i < CK_RENDER_SPANS_MAX; i++) {
        many.measured.spans[i].measure = CK_RENDER_BLACK;
    }
    assert_int_equal(ck_render_encode(&many, bytes, sizeof bytes, &size), 0);
}

/* As long as the specification allows, and not a byte longer. */
static void the_longest_message_fits(void **state)
{
    (void)state;
    static char label[CK_RENDER_TEXT_MAX];
    static struct ck_render_message back;
    static struct ck_render_message most = {
        .kind = CK_RENDER_EXPORT, .export = {.height = 480, .count = CK_RENDER_INPUTS_MAX}};
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t size;
    memset(label, 'x', sizeof label);
    for (unsigned i = 0; i < CK_RENDER_INPUTS_MAX; i++) {
        most.export.inputs[i] = (struct ck_render_input){
            .place = i % CK_RENDER_PLACES, .tracks = 3, .label = {label, sizeof label}};
    }
    assert_int_equal(ck_render_encode(&most, bytes, sizeof bytes, &size), 0);
    assert_int_equal(size, 8399);
    assert_int_equal(size, CK_RENDER_MESSAGE_MAX);
    assert_int_equal(ck_render_decode(bytes, size, &back), 0);
    assert_memory_equal(back.export.inputs[CK_RENDER_INPUTS_MAX - 1].label.data, label,
                        sizeof label);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back_as_it_went),
        cmocka_unit_test(a_message_that_is_cut_or_too_long_is_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(the_longest_message_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
