"""Rate control: which setting of a codec brings each image to each target rate.

Images, a ladder, target rates and a function that codes go in; a `RatePlan` comes out, and nothing else is touched.
Open `plan` first. `dataset` and `image` are the searches of the two rate modes; both ask the `ledger` for streams and
`curve` for predictions of sizes. `given` plans the points whose setting needs no
search. `identity` names the code that a stored plan depends on.
"""

from compress_guard.rate.given import plan_given
from compress_guard.rate.identity import search_identity
from compress_guard.rate.plan import plan

__all__ = ["plan", "plan_given", "search_identity"]
