/* order.c - output in the order of the tasks. See order.h. */
#include "exec/order.h"

#include "base/mem.h"

struct place *order_add(struct printer *printer) {
    struct place *place = mem_new(sizeof *place);
    if (!place)
        return NULL;
    place->printer = printer;
    place->previous = printer->last_place;
    *(printer->last_place ? &printer->last_place->next : &printer->first_place) = place;
    printer->last_place = place;
    return place;
}

static void remove_place(struct place *place) {
    struct printer *printer = place->printer;
    *(place->previous ? &place->previous->next : &printer->first_place) = place->next;
    *(place->next ? &place->next->previous : &printer->last_place) = place->previous;
    mem_free(place);
}

bool order_is_first(const struct place *place) {
    return place->printer->first_place == place;
}

struct output *order_live(const struct printer *printer) {
    return printer->first_place ? printer->first_place->open : NULL;
}

void order_wait(struct output *output) {
    struct place *place = output->place;
    output->queue_next = NULL;
    output->waits_for_place = true;
    *(place->latest ? &place->latest->queue_next : &place->waits) = output;
    place->latest = output;
}

void order_over(struct place *place) {
    struct printer *printer = place->printer;
    place->is_over = true;
    if (order_is_first(place))
        printer_has_turn(printer);
}

void order_advance(struct printer *printer, void (*turn)(struct output *output)) {
    if (printer->is_advancing)
        return;
    printer->is_advancing = true;
    while (printer->first_place && !printer->first) {
        struct place *place = printer->first_place;
        struct output *output = place->waits;
        if (output) {
            place->waits = output->queue_next;
            if (!place->waits)
                place->latest = NULL;
            output->waits_for_place = false;
            turn(output);
            continue;
        }
        if (place->open || !place->is_over)
            break;
        remove_place(place);
    }
    printer->is_advancing = false;
}

void order_done(struct printer *printer) {
    while (printer->first_place)
        remove_place(printer->first_place);
}
