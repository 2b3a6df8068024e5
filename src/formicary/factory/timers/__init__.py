"""What falls due: one heap of (due, position) for the whole factory, rebuilt by folding."""

from formicary.factory.timers._heap import TIMER, heapify, pop, push

__all__ = ["TIMER", "heapify", "pop", "push"]
