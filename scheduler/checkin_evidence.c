#include "scheduler/checkin_impl.h"

#include "scheduler/effects_impl.h"

bool ck_checkin_has(const struct ck_checkin *row, enum ck_evidence evidence)
{
    return (row->evidence & CK_EVIDENCE_BIT(evidence)) != 0;
}

/* The latest word of the page on whether the device can and will: a refusal blocks, and the
 * permission or a picture that comes later takes the block away. */
static void follow_page(struct ck_checkin *row, enum ck_evidence evidence)
{
    switch (evidence) {
    case CK_EVIDENCE_CAMERA_DENIED:
        row->page_block = CK_CAUSE_CAMERA_DENIED;
        break;
    case CK_EVIDENCE_NO_CAMERA:
        row->page_block = CK_CAUSE_NO_CAMERA;
        break;
    case CK_EVIDENCE_NO_WEBRTC:
        row->page_block = CK_CAUSE_NO_WEBRTC;
        break;
    case CK_EVIDENCE_CLOSED_ON_PURPOSE:
        row->page_block = CK_CAUSE_CLOSED_ON_PURPOSE;
        break;
    case CK_EVIDENCE_PERMISSION_GRANTED:
        row->page_block = CK_CAUSE_NONE;
        break;
    case CK_EVIDENCE_FIRST_FRAME:
        row->page_block = CK_CAUSE_NONE;
        row->faults &= ~CK_FAULTS_CURED_BY_MEDIA;
        row->media = true;
        break;
    case CK_EVIDENCE_FIRST_AUDIO:
        row->media = true;
        break;
    default:
        break;
    }
}

void ck_checkin_note(struct ck_checkin_turn *turn, enum ck_evidence evidence, struct ck_wall at)
{
    struct ck_checkin *row = &turn->row;
    assert(evidence < CK_EVIDENCE_COUNT);
    follow_page(row, evidence);
    if (ck_checkin_has(row, evidence)) {
        return;
    }
    row->evidence |= CK_EVIDENCE_BIT(evidence);
    row->evidence_at[evidence] = at.ms == 0 ? turn->now : at;
    ck_effects_audit(&turn->effects, CK_FACT_EVIDENCE, evidence);
}

void ck_checkin_note_faults(struct ck_checkin_turn *turn, uint32_t faults)
{
    struct ck_checkin *row = &turn->row;
    row->faults |= faults;
    if ((faults & ~row->faults_seen) == 0) {
        return;
    }
    row->faults_seen |= faults;
    ck_effects_audit(&turn->effects, CK_FACT_FAULT, faults);
}

void ck_checkin_note_answerable(struct ck_checkin_turn *turn, int64_t ms)
{
    if (ms > turn->row.answerable_ms) {
        turn->row.answerable_ms = ms;
    }
}
