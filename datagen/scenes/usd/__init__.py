"""Reading USD: one file per kind of thing that a stage holds. The door is `datagen.scenes.stage`."""
