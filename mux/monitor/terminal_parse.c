#include "mux/monitor/terminal_private.h"

#include <string.h>

#include "mux/monitor/scan.h"

/*
 * The tokenizer, after the state machine of https://vt100.net/emu/dec_ansi_parser, for UTF-8: bytes
 * 0x80..0x9f are never controls.
 */

static void sequence_begin(struct terminal_sequence *sequence)
{
    sequence->count = 0;
    sequence->colon = 0;
    sequence->leader = sequence->intermediate = 0;
    sequence->intermediates = 0;
}

static void control(struct terminal *terminal, uint8_t byte)
{
    switch (byte) {
    case '\a':
        terminal->bells++;
        if (!terminal->muted && terminal->events && terminal->events->bell)
            terminal->events->bell(terminal->owner);
        break;
    case '\b':
    case '\t':
    case '\n':
    case '\v':
    case '\f':
    case '\r':
        terminal_forward(terminal, (const char *)&byte, 1);
        break;
    case 0x0e: /* SO */
    case 0x0f: /* SI */
        terminal->charsets.active = byte == 0x0e;
        break;
    default: /* ENQ and the others do nothing: no answerback */
        break;
    }
}

/* Line ends and tabs in a row go to libvterm at once. */
static const uint8_t *controls(struct terminal *terminal, const uint8_t *at, const uint8_t *end)
{
    terminal_text_flush(terminal);
    const uint8_t *start = at;
    while (at < end && *at >= '\b' && *at <= '\r')
        at++;
    if (at == start) {
        control(terminal, *at);
        return at + 1;
    }
    terminal_forward(terminal, (const char *)start, (size_t)(at - start));
    return at;
}

static void escape(struct terminal *terminal, uint8_t byte)
{
    struct terminal_sequence *sequence = &terminal->sequence;
    if (byte >= 0x20 && byte <= 0x2f) {
        sequence->intermediate = (char)byte;
        sequence->intermediates++;
        sequence->state = PARSE_ESCAPE_INTERMEDIATE;
        return;
    }
    sequence->state = PARSE_GROUND;
    if (sequence->intermediates > 0) {
        if (byte < 0x7f)
            terminal_escape(terminal, (char)byte);
        return;
    }
    switch (byte) {
    case '[':
        sequence->state = PARSE_CSI;
        break;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
    case 'k': /* screen's title; a string like the others */
        sequence->string_kind = (char)byte;
        sequence->string_size = 0;
        sequence->loud = false;
        sequence->state = PARSE_STRING;
        break;
    default:
        if (byte < 0x7f)
            terminal_escape(terminal, (char)byte);
        break;
    }
}

/* All digits and separators in a row. */
static const uint8_t *parameters(struct terminal_sequence *sequence, const uint8_t *at,
                                 const uint8_t *end)
{
    if (sequence->count == 0) {
        sequence->count = 1;
        sequence->params[0] = PARAM_MISSING;
    }
    uint32_t *param = &sequence->params[sequence->count - 1];
    uint32_t value = *param == PARAM_MISSING ? 0 : *param;
    for (const uint8_t *start = at;; at++) {
        unsigned digit = at < end ? *at - (unsigned)'0' : UINT32_MAX;
        if (digit < 10) {
            value = value * 10 + digit;
            value = value > PARAM_MAX ? PARAM_MAX : value;
            continue;
        }
        if (at > start)
            *param = value;
        if (digit != ';' - '0' && digit != ':' - '0')
            return at;
        if (sequence->count == TERMINAL_PARAMS_MAX) {
            /* More than any terminal takes: what follows is ignored. */
            sequence->state = PARSE_CSI_IGNORE;
            return at + 1;
        }
        if (digit == ':' - '0')
            sequence->colon |= 1ULL << sequence->count;
        sequence->count++;
        *++param = PARAM_MISSING;
        value = 0;
        start = at + 1;
    }
}

static const uint8_t *csi(struct terminal *terminal, const uint8_t *at, const uint8_t *end)
{
    struct terminal_sequence *sequence = &terminal->sequence;
    while (at < end && (sequence->state == PARSE_CSI || sequence->state == PARSE_CSI_IGNORE)) {
        uint8_t byte = *at;
        if (byte >= '0' && byte <= ';' && sequence->intermediates == 0 &&
            sequence->state == PARSE_CSI) {
            at = parameters(sequence, at, end);
            continue;
        }
        if (byte == 0x1b || byte == 0x18 || byte == 0x1a)
            return at; /* cancels; the caller sees to it */
        at++;
        if (byte >= 0x40 && byte <= 0x7e) {
            bool ignore = sequence->state == PARSE_CSI_IGNORE;
            sequence->state = PARSE_GROUND;
            /* SGR with too many parameters still counts as far as it went. */
            if (!ignore || (byte == 'm' && sequence->count == TERMINAL_PARAMS_MAX))
                terminal_csi(terminal, (char)byte);
        } else if (byte < 0x20) {
            control(terminal, byte);
        } else if (byte >= 0x7f) {
            if (byte > 0x7f) {
                sequence->state = PARSE_GROUND; /* no sequence after all */
                return at - 1;
            }
        } else if (sequence->state == PARSE_CSI_IGNORE) {
            continue;
        } else if (byte >= 0x3c && byte <= 0x3f && sequence->count == 0 && !sequence->leader) {
            sequence->leader = (char)byte;
        } else if (byte >= 0x20 && byte <= 0x2f) {
            sequence->intermediate = (char)byte;
            sequence->intermediates++;
        } else {
            sequence->state = PARSE_CSI_IGNORE;
        }
    }
    return at;
}

/* Collects a string up to its end. Its beginning is kept, the rest is only counted. */
static const uint8_t *string(struct terminal *terminal, const uint8_t *at, const uint8_t *end)
{
    struct terminal_sequence *sequence = &terminal->sequence;
    const uint8_t *start = at;
    while (at < end && *at != '\a' && *at != 0x1b && *at != 0x18 && *at != 0x1a)
        at++;
    size_t size = (size_t)(at - start);
    if (sequence->string_size < TERMINAL_STRING_MAX) {
        size_t room = TERMINAL_STRING_MAX - sequence->string_size;
        memcpy(sequence->string + sequence->string_size, start, size < room ? size : room);
    }
    sequence->string_size += size;
    if (sequence->string_size > TERMINAL_STRING_LOUD && !sequence->loud) {
        sequence->loud = true;
        terminal_alert(terminal, "warning", "oversized",
                       "the agent sends a control string of more than %u bytes; it is dropped",
                       TERMINAL_STRING_LOUD);
    }
    if (at == end)
        return at;
    if (*at == '\a') {
        sequence->state = PARSE_GROUND;
        terminal_string(terminal);
    } else if (*at == 0x1b) {
        sequence->state = PARSE_STRING_ESCAPE;
    } else {
        sequence->state = PARSE_GROUND;
    }
    return at + 1;
}

/* Behind printable ASCII and UTF-8, i.e. at the first control or DEL. */
static const uint8_t *text_end(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t word = scan_load(at);
        uint64_t found = scan_below(word, 0x20) | scan_equal(word, 0x7f);
        if (found)
            return at + scan_first(found);
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at != 0x7f)
        at++;
    return at;
}

static const uint8_t *ground(struct terminal *terminal, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *stop = text_end(at, end);
    if (stop > at) {
        terminal_text(terminal, at, (size_t)(stop - at));
        return stop;
    }
    if (*at == 0x1b) {
        terminal_text_flush(terminal);
        terminal->parted = true;
        sequence_begin(&terminal->sequence);
        terminal->sequence.state = PARSE_ESCAPE;
        return at + 1;
    }
    at = controls(terminal, at, end);
    terminal->parted = true;
    return at;
}

void terminal_write(struct terminal *terminal, const void *bytes, size_t size)
{
    struct terminal_sequence *sequence = &terminal->sequence;
    const uint8_t *at = bytes, *end = at + size;
    while (at < end) {
        switch (sequence->state) {
        case PARSE_GROUND:
            at = ground(terminal, at, end);
            break;
        case PARSE_ESCAPE:
        case PARSE_ESCAPE_INTERMEDIATE:
            if (*at == 0x1b) {
                sequence_begin(sequence);
                sequence->state = PARSE_ESCAPE;
            } else if (*at == 0x18 || *at == 0x1a) {
                sequence->state = PARSE_GROUND;
            } else if (*at < 0x20) {
                control(terminal, *at);
            } else if (*at > 0x7f) {
                sequence->state = PARSE_GROUND;
                break;
            } else if (*at < 0x7f) {
                escape(terminal, *at);
            }
            at++;
            break;
        case PARSE_CSI:
        case PARSE_CSI_IGNORE:
            at = csi(terminal, at, end);
            if (at < end && sequence->state != PARSE_GROUND) {
                /* Only the controls that cancel leave the loop in this state. */
                sequence->state = *at == 0x1b ? PARSE_ESCAPE : PARSE_GROUND;
                sequence_begin(sequence);
                at++;
            }
            break;
        case PARSE_STRING:
            at = string(terminal, at, end);
            break;
        case PARSE_STRING_ESCAPE:
            if (*at == '\\') {
                sequence->state = PARSE_GROUND;
                terminal_string(terminal);
                at++;
            } else {
                sequence_begin(sequence); /* another sequence ends the string unheard */
                sequence->state = PARSE_ESCAPE;
            }
            break;
        }
    }
}
