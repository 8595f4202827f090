"""`malmoi recipe`: show a recipe in full, or compare two."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from flows.cli.options import RecipeArgument, out

recipe = App(name="recipe", help="Show a recipe in full, or compare two.")
SideArgument = Annotated[
    str, Parameter(help="A shipped recipe, a path that ends in .toml, or the folder of a release.")
]


@recipe.command(name="show")
def show(name: RecipeArgument) -> None:
    """Print a recipe as TOML that runs again: `extends` resolved, every parameter with its value."""
    from flows.cli import recipe_text
    from flows.run import find_recipe

    print(recipe_text.render_recipe(find_recipe(name)), end="")


@recipe.command(name="diff")
def diff(a: SideArgument, b: SideArgument) -> None:
    """Print the differences between two recipes, one per line: A → B."""
    from flows.cli import recipe_diff

    for line in recipe_diff.compare_recipes(a, b):
        out.print(line, markup=False)
