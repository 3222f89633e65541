#include "media/record/opus.h"

int32_t ck_opus_duration_us(const uint8_t *packet, size_t size)
{
    static const int32_t silk_us[] = {10000, 20000, 40000, 60000};
    static const int32_t celt_us[] = {2500, 5000, 10000, 20000};
    if (size == 0) {
        return 0;
    }
    unsigned config = packet[0] >> 3;
    unsigned code = packet[0] & 3;
    int32_t frame_us = config < 12   ? silk_us[config & 3]
                       : config < 16 ? silk_us[config & 1]
                                     : celt_us[config & 3];
    int32_t frames = code == 0 ? 1 : 2;
    if (code == 3) {
        if (size < 2) {
            return 0;
        }
        frames = packet[1] & 0x3F;
    }
    int32_t total_us = frames * frame_us;
    return total_us <= CK_OPUS_PACKET_MAX_US ? total_us : 0;
}
