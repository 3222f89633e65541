#include "scheduler/odara.h"

#include <stddef.h>
#include <string.h>

#include "protocol/base/error.h"

struct ck_odara_norms ck_odara_norms_proportional(void)
{
    struct ck_odara_norms norms;
    memset(&norms, 0, sizeof(norms));
    norms.missing_max = 5;
    for (uint32_t missing = 0; missing <= norms.missing_max; missing++) {
        uint32_t answered = CK_ODARA_ITEMS - missing;
        for (uint32_t raw = 0; raw <= answered; raw++) {
            norms.prorated[missing][raw] =
                (uint8_t)((2 * raw * CK_ODARA_ITEMS + answered) / (2 * answered));
        }
    }
    static const uint8_t from[CK_BAND_COUNT] = {
        [CK_BAND_0] = 0, [CK_BAND_1] = 1,   [CK_BAND_2] = 2,    [CK_BAND_3] = 3,
        [CK_BAND_4] = 4, [CK_BAND_5_6] = 5, [CK_BAND_7_13] = 7,
    };
    memcpy(norms.band_from, from, sizeof(from));
    return norms;
}

static bool row_is_sound(const struct ck_odara_norms *norms, uint32_t missing)
{
    for (uint32_t raw = 0; raw <= CK_ODARA_ITEMS - missing; raw++) {
        uint8_t score = norms->prorated[missing][raw];
        if (score < raw || score > raw + missing) {
            return false;
        }
        if (raw > 0 && score < norms->prorated[missing][raw - 1]) {
            return false;
        }
    }
    return true;
}

const char *ck_odara_norms_fault(const struct ck_odara_norms *norms)
{
    if (norms->missing_max > CK_ODARA_MISSING_MAX) {
        return "missing_max";
    }
    for (uint32_t missing = 0; missing <= norms->missing_max; missing++) {
        if (!row_is_sound(norms, missing)) {
            return "prorated";
        }
    }
    if (norms->band_from[CK_BAND_0] != 0 || norms->band_from[CK_BAND_TOP] > CK_ODARA_ITEMS) {
        return "band_from";
    }
    for (int band = CK_BAND_1; band <= CK_BAND_TOP; band++) {
        if (norms->band_from[band] <= norms->band_from[band - 1]) {
            return "band_from";
        }
    }
    return NULL;
}

static enum ck_band band_of(const struct ck_odara_norms *norms, uint32_t score)
{
    int band = CK_BAND_TOP;
    while (score < norms->band_from[band]) {
        band--;
    }
    return (enum ck_band)band;
}

int ck_odara_score(const enum ck_odara_answer items[static CK_ODARA_ITEMS],
                   const struct ck_odara_eligibility *eligibility,
                   const struct ck_odara_norms *norms, struct ck_odara_result *result)
{
    struct ck_odara_result made = {0};
    for (int i = 0; i < CK_ODARA_ITEMS; i++) {
        if ((unsigned)items[i] >= CK_ODARA_ANSWER_COUNT) {
            return CK_E_INVALID;
        }
        made.raw += items[i] == CK_ODARA_PRESENT;
        made.missing += items[i] == CK_ODARA_UNKNOWN;
    }
    made.eligible = eligibility->known_to_police && eligibility->partner &&
                    eligibility->contact_or_threat && eligibility->adult_man_to_woman;
    made.low = made.raw;
    made.high = made.raw + made.missing;
    made.enough = made.missing <= norms->missing_max;
    uint32_t edge = norms->band_from[CK_BAND_TOP];
    made.uncertain = made.low < edge && made.high >= edge;
    if (made.enough) {
        made.prorated = norms->prorated[made.missing][made.raw];
    }
    if (made.eligible && made.enough) {
        made.band = band_of(norms, made.prorated);
        made.handled_as = made.high >= edge ? CK_BAND_TOP : made.band;
    }
    *result = made;
    return 0;
}
