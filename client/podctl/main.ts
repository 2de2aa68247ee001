process.stdout.write('podctl\n');
