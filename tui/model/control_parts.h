/*
 * The parts of the dashboard's state machine (control.h), each in a file of its own: control.c has
 * what actions do, control_keys.c which keys mean them, control_prompt.c prompts, control_list.c
 * the lists and the card, control_fleet.c the list of sandboxes and marks, control_decide.c
 * requests, control_copy.c copy mode and form, control_palette.c the palette, control_review.c the
 * review, control_replay.c the replay.
 */
#pragma once

#include "tui/model/control.h"

/* Whether this dashboard may do it; says why when it only looks. */
bool control_allowed(struct control *control, const struct control_view *view, enum action action);
/* Actions that change nothing outside. False when it is none of them. */
bool control_look(struct control *control, const struct control_view *view, enum action action);

/* Questions and lines (control_prompt.c). */
void control_prompt_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order);
void control_prompt_paste(struct control *control, const struct control_view *view,
                          const struct input *input);
void control_open_prompt(struct control *control, enum control_prompt prompt, const char *text);
/* Any action of supervise mode; also those that a list hands on. */
void control_act(struct control *control, const struct control_view *view, enum action action,
                 struct order *order);

/* One key, whatever mode it is pressed in (control_keys.c). */
void control_key(struct control *control, const struct control_view *view,
                 const struct chord *chord, struct order *order);

/* Copy mode and the form (control_copy.c). */
void control_copy_open(struct control *control, const struct control_view *view,
                       struct order *order);
void control_copy_key(struct control *control, const struct control_view *view,
                      const struct chord *chord, struct order *order);
/* False: no search is typed. */
bool control_copy_paste(struct control *control, const struct control_view *view,
                        const struct input *input);
void control_copy_sync(struct control *control, const struct fleet *fleet);
void control_form_open(struct control *control, const struct control_view *view, bool like);
void control_form_key(struct control *control, const struct chord *chord, struct order *order);
/* The palette (control_palette.c). */
void control_palette_key(struct control *control, const struct control_view *view,
                         const struct chord *chord, struct order *order);

/* The review (control_review.c). */
/* Selects what the keys act on, from a list too, and closes that. False, and a note: nothing. */
bool control_take_target(struct control *control, const struct control_view *view);
void control_review_open(struct control *control, const struct control_view *view,
                         struct order *order);
void control_review_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order);
void control_review_sync(struct control *control, const struct fleet *fleet, uint64_t now);
/* The prompt's line becomes what the agent is told. False when it is too long. */
bool control_review_comment(struct control *control, const struct control_view *view,
                            struct order *order);

/* The replay (control_replay.c). */
void control_replay_open(struct control *control, const struct control_view *view,
                         struct order *order);
void control_replay_key(struct control *control, const struct control_view *view,
                        const struct chord *chord, struct order *order);
void control_replay_sync(struct control *control, const struct fleet *fleet, uint64_t now);

/* Opens the question about all that are marked. False when none is, or the action is another. */
bool control_ask_many(struct control *control, const struct control_view *view, enum action action);
/* A key while it broadcasts. */
void control_broadcast_key(struct control *control, const struct control_view *view,
                           const struct chord *chord, struct order *order);
/* Ends it when nobody is left who could hear. */
void control_broadcast_sync(struct control *control, const struct fleet *fleet);
void control_question_many(const struct control *control, const struct fleet *fleet, char *out,
                           size_t size);
/* The prompt's line becomes the filter. */
void control_filter(struct control *control, const struct fleet *fleet);
/* The list of sandboxes, and marks. False when it is another action. */
bool control_fleet_look(struct control *control, const struct control_view *view,
                        enum action action);

/* Opens a list, or closes it when it is open. */
void list_open(struct control *control, const struct control_view *view, enum control_list list);
/* The help, from a group of keys on. */
void list_help(struct control *control, const struct control_view *view, enum key_group group);
void list_close(struct control *control);
/* The fleet has changed: the cursor stays on what it was on. */
void list_sync(struct control *control, const struct fleet *fleet);
void list_move(struct control *control, const struct control_view *view, int64_t by);
void list_action(struct control *control, const struct control_view *view, enum action action,
                 struct order *order);

/* Verdicts, the menu and undoing. False when it is another action. */
bool decide_act(struct control *control, const struct control_view *view, enum action action,
                struct order *order);
/* The open requests that stand in the row of this one become the control's pile. */
void decide_pile(struct control *control, const struct fleet *fleet, const struct request *lead);
/* Goes to the pane whose request comes first; from one that is there already, to the next. */
void decide_next(struct control *control, const struct control_view *view);
/* Closes a card or menu whose request is gone, and says what became of it. */
void decide_sync(struct control *control, const struct fleet *fleet, uint64_t now);
void decide_menu_key(struct control *control, const struct control_view *view,
                     const struct chord *chord, struct order *order);
