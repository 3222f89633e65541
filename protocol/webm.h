/* The little of WebM (RFC 8794 EBML, RFC 9559 Matroska, and the WebM profile of it) that a
 * recording is made of: a header of fixed length, clusters of SimpleBlocks with one Opus and one
 * VP8 track, and cues.
 *
 * A file is header, clusters, cues. While it grows the header says neither length nor duration; a
 * final header of the same length says both and where the cues are. Times are milliseconds. Pure
 * functions. */
#ifndef PROTOCOL_WEBM_H
#define PROTOCOL_WEBM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_WEBM_HEADER_SIZE 512     /* a header's usual length */
#define CK_WEBM_SEGMENT_AT 54       /* where the segment's data begins: positions count from here */
#define CK_WEBM_CLUSTER_OVERHEAD 18 /* bytes of a cluster in front of its first block */
#define CK_WEBM_BLOCK_OVERHEAD 9    /* bytes of a block in front of its frame */
#define CK_WEBM_CUE_SIZE 48         /* bytes that one cue takes at the most */
#define CK_WEBM_SPAN_MAX_MS 30000   /* from the first to the last frame of a cluster */
#define CK_WEBM_FRAME_MAX (4u * 1024 * 1024)

enum ck_webm_track { CK_WEBM_AUDIO = 1, CK_WEBM_VIDEO = 2 };

struct ck_webm_header {
    struct ck_wall start; /* wall time of time zero */
    bool has_audio;       /* which tracks are listed */
    bool has_video;
    uint16_t width; /* of the largest picture; 0: not known yet */
    uint16_t height;
    bool final; /* the rest is known: */
    int64_t duration_ms;
    uint64_t file_size;
    uint64_t cues_at; /* from the start of the file; 0: there are none */
};

/* Writes a header of exactly `size` bytes, filled up with a Void element. CK_E_LIMIT where `size`
 * is too small (CK_WEBM_HEADER_SIZE never is). */
int ck_webm_header(const struct ck_webm_header *header, uint8_t *out, size_t size);

struct ck_webm_frame {
    enum ck_webm_track track;
    bool key;        /* every audio frame is one */
    int64_t time_ms; /* from 0 on */
    const uint8_t *data;
    size_t size;
};

/* Bytes that a cluster of these frames takes. */
size_t ck_webm_cluster_size(const struct ck_webm_frame *frames, size_t count);

/* Writes one cluster of at least one frame; they must be in the order of time and lie within
 * CK_WEBM_SPAN_MAX_MS. *key_at says where the block of frame `key` (an index; count: none) begins
 * in it. CK_E_LIMIT where it does not fit, CK_E_INVALID where the times break the rule. */
int ck_webm_cluster(const struct ck_webm_frame *frames, size_t count, size_t key, uint8_t *out,
                    size_t capacity, size_t *size, uint32_t *key_at);

/* Reads the block that begins at `at` in a cluster that ck_webm_cluster() wrote. The frame points
 * into it. CK_E_SYNTAX where there is none. */
int ck_webm_block(const uint8_t *cluster, size_t size, size_t at, struct ck_webm_frame *frame);

struct ck_webm_cue {
    int64_t time_ms;
    enum ck_webm_track track;
    uint64_t cluster_at; /* from the start of the file */
    uint32_t block_at;   /* from the start of the cluster */
};

/* Writes the cues, ascending in time, at least one. CK_E_LIMIT where they do not fit; a capacity of
 * 12 + count * CK_WEBM_CUE_SIZE is enough. */
int ck_webm_cues(const struct ck_webm_cue *cues, size_t count, uint8_t *out, size_t capacity,
                 size_t *size);

#endif
