"""What one chapter alone needs: a folder a chapter, on top of the package, which knows none of them."""
